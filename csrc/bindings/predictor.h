// What a Predictor of Python's holds: bind_predictor.cpp calls it with samples, predictor_steps.cpp with the steps of one.
#pragma once

#include <string>

#include "bindings/argument.h"
#include "core/shape.h"

namespace nnext::bindings {

// One dtype's way to predict, with a network that is never changed again.
class PredictorEngine {
 public:
  virtual ~PredictorEngine() = default;
  virtual void predict_row(const void* x, void* y) const = 0;
  virtual py::object predict(const py::object& x, const py::object& into) const = 0;
  // One step of a sequence, which goes on from a state of so many bytes.
  virtual void predict_step(const void* x, void* y, void* state) const = 0;
  // Whether so many numbers are of the categories that the network takes; true where it takes others. Those that are
  // not go the long way, which says so.
  virtual bool are_categories(const void* x, Size count) const = 0;
  // One step from a number or an array of whatever else, as the engine has it; ValueError, TypeError for what is none.
  virtual py::array as_step(const py::handle& x) const = 0;
  core::Shape in, out;
  py::dtype dtype;
  bool rows_are_brief;  // so that one is predicted with Python's lock held

  std::string why_no_steps;  // not empty: it has none
  Size step_in = 0, step_out = 0, state_bytes = 0;
  bool steps_are_brief = true;
};

struct PredictorObject {
  PyObject_HEAD vectorcallfunc call;
  PredictorEngine* engine;
  PyObject* python_engine;  // what copies are made from
};

// Methods of Predictor: reset() and step().
extern PyMethodDef predictor_step_methods[];
void bind_predictor_state(py::module_& m);

}  // namespace nnext::bindings
