#include "bindings/arrays.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bindings/direct.h"
#include "bindings/interrupt.h"
#include "kernels/dispatch.h"

namespace nnext::bindings {
namespace {

constexpr int kAsTheCoreWants = py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;

bool is_masked_array(const py::handle& object) {
  // numpy.ma is imported only if somebody else did: otherwise no masked array can exist.
  const py::dict modules = py::module_::import("sys").attr("modules");
  return modules.contains("numpy.ma") && py::isinstance(object, modules["numpy.ma"].attr("MaskedArray"));
}

bool has_numbers(const py::array& array) {
  const py::dtype dtype = array.dtype();
  const char kind = dtype.kind();
  return kind == 'b' || kind == 'i' || kind == 'u' || (kind == 'f' && dtype.itemsize() <= 8);
}

// A data frame all of whose columns are numbers, which NumPy would take as objects: bool beside float, or types that know
// missing values.
bool has_columns_of_numbers(const py::handle& frame) {
  const py::object dtypes = py::getattr(frame, "dtypes", py::none());
  if (!py::hasattr(dtypes, "__iter__") || !py::hasattr(frame, "to_numpy")) return false;
  for (const py::handle dtype : dtypes) {
    const auto kind = py::getattr(dtype, "kind", py::str("O")).cast<std::string>();
    if (std::string("biuf").find(kind) == std::string::npos) return false;
  }
  return true;
}

py::array converted(const py::handle& object, const Argument& argument) {
  py::array array;
  try {
    array = py::module_::import("numpy").attr("asarray")(object);
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_ValueError)) throw;
    fail(argument, "is no array: ", py::str(error.value()).cast<std::string>(), "; give an array of real numbers");
  }
  if (array.dtype().kind() != 'O' || !has_columns_of_numbers(object)) return array;
  return object.attr("to_numpy")("float64", py::arg("na_value") = std::numeric_limits<double>::quiet_NaN());
}

// The array's own numbers, without a copy if it is T already.
template <class T>
py::array_t<T> cast(const py::array& numbers) {
  const runtime::InFloatMode within(runtime::FloatMode::plain());
  PyObject* own =
      py::detail::npy_api::get().PyArray_FromAny_(numbers.ptr(), py::dtype::of<T>().release().ptr(), 0, 0,
                                                  kAsTheCoreWants | py::detail::npy_api::NPY_ARRAY_FORCECAST_, nullptr);
  if (own == nullptr) throw py::error_already_set();  // MemoryError
  return py::reinterpret_steal<py::array_t<T>>(own);
}

// Its numbers as an ndarray of NumPy's own, whose methods are nobody else's.
py::array as_plain(const py::array& numbers) {
  PyTypeObject* const plain = py::detail::npy_api::get().PyArray_Type_;
  if (Py_TYPE(numbers.ptr()) == plain) return numbers;
  return numbers.attr("view")(py::handle(reinterpret_cast<PyObject*>(plain)));
}

bool is_float64(const py::array& numbers) {
  return numbers.dtype().kind() == 'f' && numbers.itemsize() == sizeof(double);
}

// Calls f(part, first) for parts of a plain array, in the order of its indices; `first` numbers come before. Large ones
// are halved along their first axis: NumPy looks at no signals, and gives the lock away only while it copies.
template <class F>
void for_parts(const py::array& numbers, Size first, const F& f) {
  const auto size = static_cast<Size>(numbers.size());
  if (size <= kPart) return f(numbers, first);
  give_way();
  const Size rows = extent(numbers, 0), half = rows / 2;
  if (rows == 1) return for_parts(numbers[py::int_(0)], first, f);
  for_parts(numbers[py::slice(0, static_cast<py::ssize_t>(half), 1)], first, f);
  for_parts(numbers[py::slice(static_cast<py::ssize_t>(half), static_cast<py::ssize_t>(rows), 1)],
            first + size / rows * half, f);
}

// float64 to float32, refusing what would become infinite.
void narrow(const py::array_t<double>& wide, const py::array& of, Size first, const Argument& argument, float* to) {
  const runtime::InFloatMode within(runtime::FloatMode::plain());
  const double* from = wide.data();
  for (Size i = 0; i < static_cast<Size>(wide.size()); ++i) {
    to[i] = static_cast<float>(from[i]);
    if (std::isinf(to[i]) && std::isfinite(from[i]))
      fail_too_large(argument, from[i], index_text(argument, of, first + i));
  }
}

template <class T>
py::array_t<T> convert(const py::array& numbers, const Argument& argument) {
  py::array_t<T> result(std::vector<py::ssize_t>(numbers.shape(), numbers.shape() + numbers.ndim()));
  T* const to = result.mutable_data();
  for_parts(numbers, 0, [&](const py::array& part, Size first) {
    if constexpr (sizeof(T) < sizeof(double))
      if (is_float64(part)) return narrow(cast<double>(part), numbers, first, argument, to + first);
    const py::array_t<T> own = cast<T>(part);
    std::copy_n(own.data(), own.size(), to + first);
  });
  return result;
}

}  // namespace

py::array as_array(const py::handle& object, const Argument& argument) {
  py::array array =
      py::isinstance<py::array>(object) ? py::reinterpret_borrow<py::array>(object) : converted(object, argument);
  if (array.ndim() == 0 && !has_numbers(array)) refuse_kind(object, array, argument);
  return array;
}

py::array as_numbers(const py::handle& object, const Argument& argument) {
  const bool plain = Py_TYPE(object.ptr()) == py::detail::npy_api::get().PyArray_Type_;  // by far the most: not masked
  if (!plain && py::isinstance<py::array>(object) && is_masked_array(object) &&
      py::module_::import("numpy.ma").attr("is_masked")(object).cast<bool>())
    fail_type(argument, "has masked values; fill them first, for example with ", argument.name, ".filled(0)");
  py::array array = as_array(object, argument);
  if (!has_numbers(array)) refuse_kind(object, array, argument);
  return array;
}

template <class T>
py::array_t<T> as_contiguous(const py::array& numbers, const Argument& argument) {
  const py::array own = as_plain(numbers);
  const bool narrows = sizeof(T) < sizeof(double) && is_float64(own);
  const bool lies = holds<T>(own) && (own.flags() & kAsTheCoreWants) == kAsTheCoreWants;
  if (lies || (!narrows && static_cast<Size>(own.size()) <= kPart)) return cast<T>(own);
  return convert<T>(own, argument);
}

template <class T>
void require_finite(const py::array_t<T>& array, const Argument& argument) {
  const auto n = static_cast<Size>(array.size());
  Size count = 0;
  in_parts(n, kPart, [&](Size first, Size last) {
    count += kernels::current_kernels<T>().reduce.count_nonfinite(last - first, array.data() + first);
  });
  if (count == 0) return;
  Size first = 0;
  while (std::isfinite(array.data()[first])) ++first;
  fail_nonfinite(argument, count, array.data()[first], index_text(argument, array, first));
}

template <class T>
StridedMatrix<T> as_strided_matrix(const py::array& numbers, const Argument& argument) {
  if (numbers.ndim() != 2) fail(argument, "has shape ", shape_text(numbers), "; give two dimensions");
  constexpr auto size = static_cast<py::ssize_t>(sizeof(T));
  const bool as_it_lies = holds<T>(numbers) && numbers.strides(0) % size == 0 && numbers.strides(1) % size == 0 &&
                          reinterpret_cast<std::uintptr_t>(numbers.data()) % alignof(T) == 0;
  const py::array keep = as_it_lies ? numbers : py::array(as_contiguous<T>(numbers, argument));
  const ConstMatrix<T> view(static_cast<const T*>(keep.data()), extent(keep, 0), extent(keep, 1),
                            keep.strides(0) / size, keep.strides(1) / size);
  return {keep, view};
}

bool may_overlap(const py::object& arrays, const py::array& b) {
  if (py::isinstance<py::tuple>(arrays)) {
    const auto overlaps = [&](const py::handle& a) { return may_overlap(py::reinterpret_borrow<py::array>(a), b); };
    return std::any_of(arrays.begin(), arrays.end(), overlaps);
  }
  const auto a = py::reinterpret_borrow<py::array>(arrays);
  const auto bytes = [](const py::array& array) {
    auto low = reinterpret_cast<std::intptr_t>(array.data()), high = low + array.itemsize();
    for (py::ssize_t d = 0; d < array.ndim(); ++d)
      (array.strides(d) < 0 ? low : high) += array.strides(d) * std::max<py::ssize_t>(array.shape(d) - 1, 0);
    return std::pair(low, high);
  };
  const auto [a_low, a_high] = bytes(a);
  const auto [b_low, b_high] = bytes(b);
  return a_low < b_high && b_low < a_high;
}

template <class T>
py::array_t<T> new_array(const Extents& extents) {
  const std::span<const py::ssize_t> shape = extents.span();
  py::object made = new_array(dtype_of<T>(), static_cast<int>(shape.size()), shape.data());
  return py::reinterpret_steal<py::array_t<T>>(made.release());
}

void require_extents(const py::array& array, const Extents& wanted, const char* of, const Argument& argument) {
  const std::span<const py::ssize_t> shape = wanted.span();
  if (!std::equal(shape.begin(), shape.end(), array.shape(), array.shape() + array.ndim()))
    fail(argument, "has shape ", shape_text(array), " but ", of, " ", shape_text(shape), "; give that shape");
}

template <class T>
py::array_t<T> as_output(const py::object& out, const Extents& wanted, const Argument& argument) {
  const std::span<const py::ssize_t> shape = wanted.span();
  if (out.is_none()) return new_array<T>(wanted);
  const auto cure = [&] {
    return core::message("make it with numpy.empty(", shape_text(shape), ", \"", kTypeName<T>, "\")");
  };
  const bool taken = py::isinstance<py::array>(out) && holds<T>(py::reinterpret_borrow<py::array>(out));
  if (!taken) fail_type(argument, "must be an ndarray of ", kTypeName<T>, "; ", cure());
  auto array = py::reinterpret_borrow<py::array_t<T>>(out);
  require_extents(array, wanted, "the result is", argument);
  if (!array.writeable() || !(array.flags() & py::array::c_style) ||
      reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) != 0)
    fail(argument, "must be writeable, C-contiguous and aligned; ", cure());
  return array;
}

template py::array_t<float> as_contiguous(const py::array&, const Argument&);
template py::array_t<double> as_contiguous(const py::array&, const Argument&);
template void require_finite(const py::array_t<float>&, const Argument&);
template void require_finite(const py::array_t<double>&, const Argument&);
template StridedMatrix<float> as_strided_matrix(const py::array&, const Argument&);
template StridedMatrix<double> as_strided_matrix(const py::array&, const Argument&);
template py::array_t<float> new_array(const Extents&);
template py::array_t<double> new_array(const Extents&);
template py::array_t<float> as_output(const py::object&, const Extents&, const Argument&);
template py::array_t<double> as_output(const py::object&, const Extents&, const Argument&);

}  // namespace nnext::bindings
