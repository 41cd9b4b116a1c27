// One function a concept, each in the source file of that name.
#pragma once

#include <pybind11/pybind11.h>

namespace nnext::bindings {

void bind_runtime(pybind11::module_& m);
void bind_functional(pybind11::module_& m);
void bind_matmul(pybind11::module_& m);
void bind_network(pybind11::module_& m);
void bind_padded(pybind11::module_& m);
void bind_predictor(pybind11::module_& m);

}  // namespace nnext::bindings
