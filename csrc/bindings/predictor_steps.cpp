// Predictor.reset() and Predictor.step(): a sequence a step at a time, with what it carries in an object of its own.
#include <algorithm>
#include <new>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/direct.h"
#include "bindings/predictor.h"
#include "core/buffer.h"

namespace nnext::bindings {
namespace {

struct StateObject {
  PyObject_HEAD PyObject* predictor;
  core::Buffer<std::byte>* numbers;
  bool in_use;  // by a thread that has given Python's lock away
};

PyTypeObject* state_type = nullptr;

const PredictorEngine& engine_of(PyObject* predictor) { return *reinterpret_cast<PredictorObject*>(predictor)->engine; }

py::object new_state(PyObject* predictor) {
  const PredictorEngine& engine = engine_of(predictor);
  if (!engine.why_no_steps.empty()) throw py::value_error(engine.why_no_steps);
  auto object = py::reinterpret_steal<py::object>(state_type->tp_alloc(state_type, 0));
  if (!object) throw py::error_already_set();
  auto& state = *reinterpret_cast<StateObject*>(object.ptr());
  Py_INCREF(predictor);
  state.predictor = predictor;
  state.numbers = new core::Buffer<std::byte>(engine.state_bytes);
  return object;
}

void require_unused(const StateObject& state) {
  if (state.in_use)
    throw std::runtime_error(
        "[step] another thread is at a step from this state; give each sequence a state of its own");
}

StateObject& require_state(PyObject* object, PyObject* predictor) {
  if (Py_TYPE(object) != state_type)
    throw py::type_error(std::string("[step] state is a ") + Py_TYPE(object)->tp_name +
                         "; give what reset() or the step before returned");
  auto& state = *reinterpret_cast<StateObject*>(object);
  if (state.predictor != predictor)
    throw py::value_error("[step] the state is one of another predictor; begin with this one's reset()");
  require_unused(state);
  return state;
}

// Numbers that lie as the engine wants them, whatever axes of one they have; null for everything else.
char* ready(const PredictorEngine& engine, PyObject* object, Size count, int flags) {
  const auto* array = plain_array(object, engine.dtype);
  if (array == nullptr || (array->flags & flags) != flags || array->nd < 1) return nullptr;
  const std::span dimensions(array->dimensions, static_cast<Size>(array->nd));
  const bool alone = std::all_of(dimensions.begin(), dimensions.end() - 1, [](auto extent) { return extent == 1; });
  return alone && dimensions.back() == static_cast<Py_intptr_t>(count) ? array->data : nullptr;
}

constexpr int kReadable = py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
constexpr int kWritable = kReadable | py::detail::npy_api::NPY_ARRAY_WRITEABLE_;

// Python's lock is away for what is not brief; who else comes with the state then is refused.
void go(const PredictorEngine& engine, const void* x, void* y, StateObject& state) {
  if (engine.steps_are_brief) return engine.predict_step(x, y, state.numbers->data());
  struct Use {  // also where memory ends within
    bool& in_use;
    explicit Use(bool& of) : in_use(of) { in_use = true; }
    ~Use() { in_use = false; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
  } const use(state.in_use);
  const py::gil_scoped_release release;
  engine.predict_step(x, y, state.numbers->data());
}

// step(x, state=None, out=None) -> (y, state)
py::object step(PyObject* predictor, PyObject* x, PyObject* given, PyObject* out) {
  const PredictorEngine& engine = engine_of(predictor);
  const py::object state = given == Py_None ? new_state(predictor) : py::reinterpret_borrow<py::object>(given);
  StateObject& carried = require_state(state.ptr(), predictor);
  py::array converted;
  const char* from = ready(engine, x, engine.step_in, kReadable);
  if (from == nullptr || !engine.are_categories(from, engine.step_in))
    converted = engine.as_step(x), from = static_cast<const char*>(converted.data());
  const Py_intptr_t count = static_cast<Py_intptr_t>(engine.step_out);
  const py::object y = out == Py_None ? new_array(engine.dtype, 1, &count) : py::reinterpret_borrow<py::object>(out);
  char* const to = ready(engine, y.ptr(), engine.step_out, kWritable);
  if (to == nullptr)
    throw py::value_error(core::message("[step] out must be a C-contiguous array of ",
                                        py::str(engine.dtype).cast<std::string>(), " with shape (", engine.step_out,
                                        ",)"));
  go(engine, from, to, carried);
  return py::reinterpret_steal<py::object>(PyTuple_Pack(2, y.ptr(), state.ptr()));
}

PyObject* call_step(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  constexpr std::array<const char*, 3> kNames{"x", "state", "out"};
  std::array<PyObject*, 3> given{nullptr, Py_None, Py_None};
  const Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  bool known = count <= 3;
  for (Py_ssize_t i = 0; known && i < count; ++i) given[static_cast<Size>(i)] = args[i];
  for (Py_ssize_t i = 0; known && i < named; ++i) {
    const auto* const found = std::find_if(kNames.begin(), kNames.end(), [&](const char* name) {
      return PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), name) == 0;
    });
    const auto place = found - kNames.begin();
    known = found != kNames.end() && place >= count;
    if (known) given[static_cast<Size>(place)] = args[count + i];
  }
  if (!known || given[0] == nullptr) {
    PyErr_SetString(PyExc_TypeError, "[step] it takes x, state and, if wanted, out=; for example step(x, state)");
    return nullptr;
  }
  return returned([&] { return step(self, given[0], given[1], given[2]); });
}

PyObject* call_reset(PyObject* self, PyObject*) {
  return returned([&] { return new_state(self); });
}

PyObject* copy_state(PyObject* self, PyObject*) {
  return returned([&] {
    const auto& from = *reinterpret_cast<StateObject*>(self);
    require_unused(from);
    py::object copied = new_state(from.predictor);
    std::copy(from.numbers->begin(), from.numbers->end(),
              reinterpret_cast<StateObject*>(copied.ptr())->numbers->begin());
    return copied;
  });
}

void destroy_state(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  auto* const state = reinterpret_cast<StateObject*>(self);
  delete state->numbers;
  Py_XDECREF(state->predictor);
  type->tp_free(self);
  Py_DECREF(type);
}

constexpr const char* kStepDoc =
    "step($self, x, state=None, out=None)\n--\n\n"
    "The network's output for one step of a sequence, and what the next step goes on from.\n\n"
    "Parameters\n----------\n"
    "x : array_like of shape (features,), or int for a network that begins with an Embedding\n"
    "    Quickest as a C-contiguous ndarray of the model's dtype.\n"
    "state : State or None\n"
    "    What `reset` or the step before returned. It is changed, and returned; None is the begin of a sequence. "
    "Sequences\n"
    "    with states of their own may go on at the same time, also in several threads.\n"
    "out : ndarray of shape (outputs,), optional\n"
    "    Where to write the output: of the model's dtype, C-contiguous.\n\n"
    "Returns\n-------\n"
    "y : ndarray of shape (outputs,)\n"
    "    What `predict` gives at that step of the sequence; where it gives but the last, as if this was the last.\n"
    "state : State\n";
constexpr const char* kResetDoc =
    "reset($self)\n--\n\n"
    "Return the state of a sequence that is about to begin, for `step`. `copy.copy` copies a state.\n\n"
    "Raises\n------\n"
    "ValueError\n"
    "    Where a layer does not go step by step: one in both directions, or that looks at several steps.\n";

}  // namespace

PyMethodDef predictor_step_methods[] = {{"reset", call_reset, METH_NOARGS, kResetDoc},
                                        {"step", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_step)),
                                         METH_FASTCALL | METH_KEYWORDS, kStepDoc},
                                        {nullptr, nullptr, 0, nullptr}};

void bind_predictor_state(py::module_& m) {
  static PyMethodDef methods[] = {{"__copy__", copy_state, METH_NOARGS, nullptr},
                                  {"__deepcopy__", copy_state, METH_O, nullptr},
                                  {nullptr, nullptr, 0, nullptr}};
  static PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(destroy_state)},
                                {Py_tp_methods, methods},
                                {Py_tp_doc, const_cast<char*>("What a sequence carries from one step to the next.")},
                                {0, nullptr}};
  static PyType_Spec spec{"nnext._core.State", sizeof(StateObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  PyObject* const type = PyType_FromSpec(&spec);
  if (type == nullptr) throw py::error_already_set();
  state_type = reinterpret_cast<PyTypeObject*>(type);
  m.attr("State") = py::reinterpret_borrow<py::object>(type);
}

}  // namespace nnext::bindings
