// A sequence of layers with its seed and the kernels it was laid out for.
#pragma once

#include <memory>
#include <vector>

#include "kernels/dispatch.h"
#include "nn/layer.h"

namespace nnext::nn {

template <class T>
struct Network {
  explicit Network(std::uint64_t seed_) : seed(seed_), kernels(kernels::current_kernels<T>()) {}

  std::uint64_t seed;
  const kernels::KernelTable<T>& kernels;
  std::vector<std::unique_ptr<Layer<T>>> layers;
};

}  // namespace nnext::nn
