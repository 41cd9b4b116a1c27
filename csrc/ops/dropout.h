// Dropout: y = x / (1 - p) where kept, 0 where dropped. The mask is a function of (seed, step, layer, element): it is
// computed again in the backward pass, never stored. Srivastava et al., JMLR 15 (2014), in the inverted form. And alpha
// dropout, which keeps mean 0 and variance 1.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/philox.h"
#include "core/view.h"

namespace nnext::ops {

// Calls f(i, kept) for numbers i < count that follow `first` ones of the step.
template <class F>
void for_each_kept(const core::PhiloxStream& stream, double p, core::Size first, core::Size count, F f) {
  const auto threshold = static_cast<std::uint64_t>(std::llround(p * 0x1p32));
  for (core::Size i = 0; i < count;) {
    const core::PhiloxBlock words = stream.block((first + i) / 4);
    for (core::Size lane = (first + i) % 4; lane < 4 && i < count; ++lane, ++i) f(i, words[lane] >= threshold);
  }
}

// y = x * mask * scale for rows [first_row, first_row + x.rows) of the step; forward on x and backward on dy alike.
// A dropped NaN stays NaN. Rows are contiguous; y may be x.
template <class T>
void dropout(const core::PhiloxStream& stream, double p, T scale, core::Size first_row, core::ConstMatrix<T> x,
             core::Matrix<T> y) {
  for_each_kept(stream, p, first_row * x.cols, x.rows * x.cols,
                [&](core::Size i, bool kept) { y.data[i] = x.data[i] * (kept ? scale : T{0}); });
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
void alpha_dropout(const core::PhiloxStream& stream, double p, core::Size first_row, core::ConstMatrix<T> x,
                   core::Matrix<T> y) {
  const AlphaDropout numbers(p);
  const T scale = static_cast<T>(numbers.scale), shift = static_cast<T>(numbers.shift),
          dropped = static_cast<T>(numbers.dropped);
  for_each_kept(stream, p, first_row * x.cols, x.rows * x.cols, [&](core::Size i, bool kept) {
    y.data[i] = x.data[i] * (kept ? scale : T{0}) + (kept ? shift : dropped);
  });
}

}  // namespace nnext::ops
