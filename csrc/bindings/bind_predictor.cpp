// Predictor: a network frozen for predictions, called through CPython's vectorcall. pybind11's dispatch alone takes as
// long as the whole prediction of a small network.
#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/direct.h"
#include "bindings/interrupt.h"
#include "bindings/model.h"
#include "bindings/predictor.h"
#include "bindings/sparse_rows.h"

namespace nnext::bindings {
namespace {

using py::detail::npy_api;

template <class T>
class TypedEngine final : public PredictorEngine {
 public:
  explicit TypedEngine(py::object keep)
      : keep_(std::move(keep)), model_(keep_.cast<Model<T>&>()), row_(model_.row_predictor()) {
    in = row_.in(), out = row_.out(), dtype = py::dtype::of<T>(), rows_are_brief = row_.is_brief();
    try {
      step_ = model_.step_predictor();
    } catch (const std::invalid_argument& error) {
      why_no_steps = error.what();
      return;
    }
    step_in = step_->in().numbers(), step_out = step_->out().numbers(), steps_are_brief = step_->is_brief();
    state_bytes = step_->carried() * sizeof(T);
  }
  void predict_row(const void* x, void* y) const override { row_(static_cast<const T*>(x), static_cast<T*>(y)); }
  py::object predict(const py::object& x, const py::object& into) const override {
    return model_.predict(x, into, false, py::float_(1.0));
  }
  void predict_step(const void* x, void* y, void* state) const override {
    (*step_)(static_cast<const T*>(x), static_cast<T*>(y), static_cast<T*>(state));
  }
  bool are_categories(const void* x, Size count) const override {
    const std::optional<nn::Intake>& wanted = model_.section().intake();
    if (!wanted || wanted->categories == 0) return true;
    const std::span numbers(static_cast<const T*>(x), count);
    return std::all_of(numbers.begin(), numbers.end(), [&](T value) {
      return value >= 0 && value < static_cast<T>(wanted->categories) && value == std::floor(value);
    });
  }
  py::array as_step(const py::handle& x) const override {
    const Argument argument{"step", "x"};
    const py::array numbers = as_numbers(x, argument);
    const std::span extents(numbers.shape(), static_cast<Size>(numbers.ndim()));
    const bool alone =
        extents.empty() || std::all_of(extents.begin(), extents.end() - 1, [](auto n) { return n == 1; });
    if (!alone || static_cast<Size>(numbers.size()) != step_in)
      fail(argument, "has shape ", shape_text(numbers), " but a step has ", step_in, " features; give (", step_in,
           ",)");
    const py::tuple shape = step_->in().single ? py::tuple(py::make_tuple(1, 1)) : py::make_tuple(1, 1, step_in);
    const Rows<T> rows =
        as_rows<T>(numbers.attr("reshape")(shape), {.section = &model_.section(), .finite = false}, argument);
    py::array_t<T> read({Size{1}, step_in});
    rows.source().read(0, Matrix<T>(read.mutable_data(), 1, step_in));
    return read;
  }

 private:
  py::object keep_;
  Model<T>& model_;
  const train::RowPredictor<T>& row_;
  std::unique_ptr<const train::RowPredictor<T>> step_{};
};

// Data of one sample, alone or as a single row, that lies as the core wants it.
char* row_data(const PredictorEngine& engine, PyObject* object, const core::Shape& shape, int flags) {
  const auto* array = plain_array(object, engine.dtype);
  if (array == nullptr || (array->flags & flags) != flags || shape.turned()) return nullptr;
  const std::span dimensions(array->dimensions, static_cast<Size>(array->nd));
  const auto is = [&](const Extents& extents) {
    return std::equal(dimensions.begin(), dimensions.end(), extents.span().begin(), extents.span().end());
  };
  return is(Extents(shape)) || is(Extents(1, shape)) ? array->data : nullptr;
}

constexpr int kReadable = npy_api::NPY_ARRAY_C_CONTIGUOUS_ | npy_api::NPY_ARRAY_ALIGNED_;
constexpr int kWritable = kReadable | npy_api::NPY_ARRAY_WRITEABLE_;

// An empty array for the output of a sample that is alone, or a single row, as x is.
py::object new_row(const PredictorEngine& engine, PyObject* x) {
  const bool alone = py::detail::array_proxy(x)->nd == static_cast<int>(engine.in.axes) + 1;
  const Extents extents = alone ? Extents(engine.out) : Extents(1, engine.out);
  return new_array(engine.dtype, static_cast<int>(extents.span().size()), extents.span().data());
}

// Everything but one ready row: lists, other dtypes and layouts, many rows, sparse ones.
py::object predict_any(const PredictorEngine& engine, const py::object& x, const py::object& out) {
  const Call whole;
  if (const py::object csr = as_csr(x); !csr.is_none()) return engine.predict(csr, out);
  const py::array numbers = as_numbers(x, {"predict", "X"});
  if (numbers.ndim() != 1) return engine.predict(numbers, out);
  if (!out.is_none())
    throw py::value_error("[predict] X has shape " + shape_text(numbers) + " and does not lie as " +
                          py::str(engine.dtype).cast<std::string>() +
                          " numbers side by side; with out= give such an array, or a 2-D X");
  return engine.predict(numbers.attr("reshape")(1, -1), out).attr("reshape")(-1);
}

py::object predict(const PredictorEngine& engine, PyObject* x, PyObject* out) {
  char* const from = engine.rows_are_brief ? row_data(engine, x, engine.in, kReadable) : nullptr;
  char* to = from == nullptr || out == Py_None ? nullptr : row_data(engine, out, engine.out, kWritable);
  if (from == nullptr || engine.out.turned() || (out != Py_None && to == nullptr) ||
      !engine.are_categories(from, engine.in.numbers()))
    return predict_any(engine, py::reinterpret_borrow<py::object>(x), py::reinterpret_borrow<py::object>(out));
  py::object result = out == Py_None ? new_row(engine, x) : py::reinterpret_borrow<py::object>(out);
  if (to == nullptr) to = py::detail::array_proxy(result.ptr())->data;
  engine.predict_row(from, to);
  return result;
}

// Predictor(x, out=None)
PyObject* call(PyObject* self, PyObject* const* args, std::size_t nargsf, PyObject* names) {
  const py::ssize_t positional = PyVectorcall_NARGS(nargsf), named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  PyObject* out = positional == 2 ? args[1] : Py_None;
  bool known = positional >= 1 && positional + named <= 2;
  if (known && named == 1) {
    known = PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "out") == 0;
    out = args[positional];
  }
  if (!known) {
    PyErr_SetString(PyExc_TypeError, "[predict] a Predictor takes x and, if wanted, out=; for example predictor(x)");
    return nullptr;
  }
  return returned([&] { return predict(*reinterpret_cast<PredictorObject*>(self)->engine, args[0], out); });
}

void destroy(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  auto* const predictor = reinterpret_cast<PredictorObject*>(self);
  delete predictor->engine;
  Py_DECREF(predictor->python_engine);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* describe(PyObject* self) {
  return returned([&] {
    const PredictorEngine& engine = *reinterpret_cast<PredictorObject*>(self)->engine;
    PyObject* const said =
        engine.in.axes == 0 && engine.out.axes == 0
            ? PyUnicode_FromFormat("Predictor(in_features=%zu, out_features=%zu, dtype='%S')", engine.in.channels,
                                   engine.out.channels, engine.dtype.ptr())
            : PyUnicode_FromFormat("Predictor(input_shape=%s, output_shape=%s, dtype='%S')", text(engine.in).c_str(),
                                   text(engine.out).c_str(), engine.dtype.ptr());
    return py::reinterpret_steal<py::object>(said);
  });
}

PyObject* python_engine(PyObject* self, void*) {
  return py::handle(reinterpret_cast<PredictorObject*>(self)->python_engine).inc_ref().ptr();
}

constexpr const char* kDoc =
    "Predictor(x, out=None)\n--\n\n"
    "The output of a network for one sample, or rows of them, as the network was at compile_inference().\n\n"
    "Parameters\n----------\n"
    "x : array_like of shape (features,) or (n, features), or of one or n images\n"
    "    Quickest as a C-contiguous ndarray of the model's dtype with one sample. NaN in gives NaN out.\n"
    "out : ndarray, optional\n"
    "    Where to write the result: of the model's dtype, C-contiguous, of the result's shape.\n\n"
    "Returns\n-------\n"
    "ndarray of shape (outputs,) or (n, outputs)\n";

PyTypeObject* make_type() {
  static PyGetSetDef attributes[] = {
      {"engine", python_engine, nullptr, "The network in the C++ core, for other modules of nnext.", nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr}};
  static PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
                                {Py_tp_repr, reinterpret_cast<void*>(describe)},
                                {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                                {Py_tp_getset, attributes},
                                {Py_tp_methods, predictor_step_methods},
                                {Py_tp_doc, const_cast<char*>(kDoc)},
                                {0, nullptr}};
  static PyType_Spec spec{"nnext._core.Predictor", sizeof(PredictorObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  PyObject* type = PyType_FromSpec(&spec);
  if (type == nullptr) throw py::error_already_set();
  auto* const made = reinterpret_cast<PyTypeObject*>(type);
  made->tp_vectorcall_offset = offsetof(PredictorObject, call);
  return made;
}

}  // namespace

void bind_predictor(py::module_& m) {
  bind_predictor_state(m);
  PyTypeObject* const type = make_type();
  m.attr("Predictor") = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(type));
  m.def(
      "make_predictor",
      [type](const py::object& network, const py::object& python_engine) {
        std::unique_ptr<PredictorEngine> engine;
        if (py::isinstance<Model<float>>(network))
          engine = std::make_unique<TypedEngine<float>>(network);
        else
          engine = std::make_unique<TypedEngine<double>>(network);
        PyObject* object = type->tp_alloc(type, 0);
        if (object == nullptr) throw py::error_already_set();
        auto* predictor = reinterpret_cast<PredictorObject*>(object);
        predictor->call = call;
        predictor->engine = engine.release();
        predictor->python_engine = py::object(python_engine).release().ptr();
        return py::reinterpret_steal<py::object>(object);
      },
      py::arg("network"), py::arg("engine"));
}

}  // namespace nnext::bindings
