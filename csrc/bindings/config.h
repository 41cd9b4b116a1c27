// Descriptions of layers, losses and optimizers: Python's config() dicts as core::Config.
#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "core/config.h"

namespace nnext::bindings {

// Throws std::invalid_argument for values of other kinds than config() gives. None is no field.
core::Config as_config(const pybind11::dict& dict);
std::vector<core::Config> as_configs(const pybind11::sequence& dicts);

}  // namespace nnext::bindings
