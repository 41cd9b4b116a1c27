// Dropout: y = x / (1 - p) where kept, 0 where dropped. The mask is a function of (seed, step, layer, element): it is
// computed again in the backward pass, never stored. Srivastava et al., JMLR 15 (2014), in the inverted form. And alpha
// dropout, which keeps mean 0 and variance 1.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/view.h"
#include "kernels/kernel_table.h"
#include "ops/random.h"

namespace nnext::ops {

// Applies the rule for probability p of being dropped to rows [first_row, first_row + x.rows) of the step, whose elements
// have a word each. Rows are contiguous; y may be x.
template <class T>
void apply_dropout(const kernels::NoiseKernels<T>& kernels, const core::PhiloxStream& stream, double p,
                   kernels::DropoutRule<T> rule, core::Size first_row, core::ConstMatrix<T> x, core::Matrix<T> y) {
  const auto threshold = static_cast<std::uint64_t>(std::llround(p * 0x1p32));
  rule.threshold = static_cast<std::uint32_t>(threshold);
  if (threshold > rule.threshold) rule.scale = 0, rule.shift = rule.dropped;  // p next to 1: no word is as large
  kernels.dropout(x.rows * x.cols, rule, random_stream(stream), first_row * x.cols, x.data, y.data);
}

// y = x * mask * scale, forward on x and backward on dy alike. A dropped NaN stays NaN.
template <class T>
void dropout(const kernels::NoiseKernels<T>& kernels, const core::PhiloxStream& stream, double p, T scale,
             core::Size first_row, core::ConstMatrix<T> x, core::Matrix<T> y) {
  apply_dropout<T>(kernels, stream, p, {.threshold = 0, .scale = scale}, first_row, x, y);
}

// Dropped numbers become -alpha, which SELU gives far below 0, and all are then scaled and shifted so that mean 0 and
// variance 1 stay: y = scale x + shift where kept, else y = dropped. G. Klambauer, T. Unterthiner, A. Mayr and S.
// Hochreiter, NeurIPS 2017, appendix; alpha is SELU's scale times its alpha.
struct AlphaDropout {
  static constexpr double kAlpha = 1.7580993408473766;
  double scale, shift, dropped;
  explicit AlphaDropout(double p)
      : scale(1 / std::sqrt((1 - p) * (1 + p * kAlpha * kAlpha))),
        shift(scale * p * kAlpha),
        dropped(-scale * (1 - p) * kAlpha) {}
};
template <class T>
void alpha_dropout(const kernels::NoiseKernels<T>& kernels, const core::PhiloxStream& stream, double p,
                   core::Size first_row, core::ConstMatrix<T> x, core::Matrix<T> y) {
  const AlphaDropout numbers(p);
  const kernels::DropoutRule<T> rule{.threshold = 0,
                                     .scale = static_cast<T>(numbers.scale),
                                     .shifted = true,
                                     .shift = static_cast<T>(numbers.shift),
                                     .dropped = static_cast<T>(numbers.dropped)};
  apply_dropout<T>(kernels, stream, p, rule, first_row, x, y);
}

}  // namespace nnext::ops
