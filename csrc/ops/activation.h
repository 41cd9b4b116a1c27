// Element-wise activations by name.
#pragma once

#include "kernels/kernel_table.h"
#include "ops/named.h"

namespace nnext::ops {

// Throws std::invalid_argument, with the known names, for any other.
template <class T>
const kernels::ActivationKernels<T>& find_activation(const kernels::KernelTable<T>& kernels, std::string_view name) {
  return find_named<kernels::ActivationKernels<T>>(
      {kernels.elementwise.activations, kernels.elementwise.activation_count}, "activation", name);
}

}  // namespace nnext::ops
