// What the settings of an optimizer are from now on, and in each step of an epoch: a dict from their names to a number,
// or to an array with a number for each step.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <vector>

#include "train/epoch.h"

namespace nnext::bindings {

namespace py = pybind11;

struct GivenSettings {
  std::vector<train::SettingValue> settings;
  std::vector<train::SettingValues> changing;
  std::vector<py::array_t<double>> keep;  // the arrays of `changing`
};

// Throws std::invalid_argument for an array that has no values for steps.
GivenSettings as_settings(const py::dict& given);
// The same of one step.
std::vector<train::SettingValue> as_step_settings(const py::dict& given);

}  // namespace nnext::bindings
