#include "bindings/argument.h"

#include <string_view>

#include "bindings/interrupt.h"

namespace nnext::bindings {

std::string shape_text(std::span<const py::ssize_t> extents) {
  std::string text;
  for (const py::ssize_t extent : extents) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "(" + text + (extents.size() == 1 ? ",)" : ")");
}

std::string index_text(const Argument& argument, const py::array& array, Size flat) {
  std::string text;
  for (py::ssize_t d = array.ndim(); d-- > 0;) {
    const auto extent = static_cast<Size>(array.shape(d));
    const Size index = flat % extent;
    const bool chosen = d == 0 && argument.rows.data() != nullptr;
    text = std::to_string(chosen ? argument.rows[index] : index) + (text.empty() ? "" : ", ") + text;
    flat /= extent;
  }
  return array.ndim() == 1 ? text : "(" + text + ")";
}

namespace {

// The first element that is no number, and where.
struct Offender {
  py::object item;
  Size index = 0;
};

// Text in an array has types of NumPy's, whose names would only be in the way of what it says.
py::object as_python(const py::array& array, const py::handle& item) {
  const bool wrapped = array.dtype().kind() != 'O' && py::hasattr(item, "item");
  return wrapped ? item.attr("item")() : py::reinterpret_borrow<py::object>(item);
}

Offender find_offender(const py::array& array) {
  Offender found;
  for (const py::handle item : array.attr("flat")) {
    if (found.index % 1024 == 0) give_way();
    PyObject* const number = PyNumber_Float(item.ptr());
    if (number == nullptr) {
      if (PyErr_ExceptionMatches(PyExc_Exception) == 0) throw py::error_already_set();  // such as KeyboardInterrupt
      PyErr_Clear();
      found.item = as_python(array, item);
      return found;
    }
    Py_DECREF(number);
    ++found.index;
  }
  return found;
}

std::string short_repr(const py::object& object) {
  return py::repr(object).attr("__getitem__")(py::slice(0, 40, 1)).cast<std::string>();
}

bool is_text(const py::object& object) { return py::isinstance<py::str>(object) || py::isinstance<py::bytes>(object); }

bool is_missing(const py::object& object) {
  return object.is_none() || std::string_view(Py_TYPE(object.ptr())->tp_name).ends_with("NAType");  // of pandas
}

// SciPy's, and whatever else speaks as they do.
bool is_sparse(const py::object& object) { return py::hasattr(object, "toarray") && py::hasattr(object, "nnz"); }

}  // namespace

void refuse_kind(const py::handle& object, const py::array& array, const Argument& argument) {
  const std::string name = argument.name, dtype = "has dtype " + py::str(array.dtype()).cast<std::string>();
  const char kind = array.dtype().kind();
  const std::string plain = py::isinstance<py::array>(object) ? name : "numpy.asarray(" + name + ")";
  const std::string converted = "give real numbers, for example with " + plain + ".astype(\"float64\")";
  if (kind == 'c') fail_type(argument, dtype, "; give real numbers, for example with numpy.real(", name, ")");
  if (kind == 'V')
    fail_type(argument, dtype, "; give one type of numbers, for example with ",
              "numpy.lib.recfunctions.structured_to_unstructured(", name, ")");
  if (kind == 'f' || kind == 'm' || kind == 'M') fail_type(argument, dtype, "; ", converted);
  const Offender offender = find_offender(array);
  if (!offender.item) fail_type(argument, dtype, "; ", converted);
  if (array.ndim() == 0) {
    if (is_sparse(offender.item)) fail_type(argument, "is a sparse matrix; give ", name, ".toarray()");
    fail_type(argument, dtype, " and is ", short_repr(offender.item), "; give an array of real numbers");
  }
  const std::string what =
      dtype + ", with " + short_repr(offender.item) + " at " + index_text(argument, array, offender.index);
  if (is_text(offender.item)) fail_type(argument, what, "; ", argument.cure_of_text);
  if (py::isinstance<py::sequence>(offender.item))
    fail_type(argument, what, "; give rows of one length as one array, for example with numpy.stack(", name, ")");
  fail_type(argument, what, is_missing(offender.item) ? "; remove or replace what is missing" : "; give real numbers");
}

}  // namespace nnext::bindings
