// Element-wise activations by name.
#pragma once

#include <string_view>

#include "core/errors.h"
#include "kernels/kernel_table.h"

namespace nnext::ops {

inline kernels::Activation parse_activation(std::string_view name) {
  using kernels::Activation;
  if (name == "identity") return Activation::identity;
  if (name == "relu") return Activation::relu;
  if (name == "leaky_relu") return Activation::leaky_relu;
  if (name == "tanh") return Activation::tanh;
  if (name == "sigmoid") return Activation::sigmoid;
  core::fail_value("[activation] unknown name '", name, "'; use identity, relu, leaky_relu, tanh or sigmoid");
}

}  // namespace nnext::ops
