// Gaussian noise: y = x + std z, z a function of (seed, step, layer, element).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/view.h"
#include "kernels/kernel_table.h"
#include "ops/random.h"

namespace nnext::ops {

// Of rows [first_row, first_row + x.rows) of the step; element e has the words 2 e and 2 e + 1 of the stream, so that a
// block of four words is two elements'. Rows are contiguous; y may be x.
template <class T>
void add_noise(const kernels::NoiseKernels<T>& kernels, const core::PhiloxStream& stream, double std,
               core::Size first_row, core::ConstMatrix<T> x, core::Matrix<T> y) {
  constexpr core::Size kAtOnce = 64;
  std::array<std::uint32_t, 2 * kAtOnce + 4> words;  // the first and the last block may be in part of others
  const core::Size first = first_row * x.cols, count = x.rows * x.cols;
  for (core::Size begin = 0; begin < count; begin += kAtOnce) {
    const core::Size n = std::min(kAtOnce, count - begin), element = first + begin, odd = element % 2;
    kernels.blocks(random_stream(stream), element / 2, (odd + n + 1) / 2, words.data());
    kernels.add_normal(n, std, words.data() + 2 * odd, x.data + begin, y.data + begin);
  }
}

}  // namespace nnext::ops
