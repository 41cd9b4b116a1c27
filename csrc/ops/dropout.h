// Dropout: y = x / (1 - p) where kept, 0 where dropped. The mask is a function of (seed, step, layer, element): it is
// computed again in the backward pass, never stored. Srivastava et al., JMLR 15 (2014), in the inverted form.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/philox.h"
#include "core/view.h"

namespace nnext::ops {

// y = x * mask / (1 - p) for rows [first_row, first_row + x.rows) of the step; forward on x and backward on dy alike.
// A dropped NaN stays NaN. Rows are contiguous; y may be x.
template <class T>
void dropout(const core::PhiloxStream& stream, double p, core::Size first_row, core::ConstMatrix<T> x,
             core::Matrix<T> y) {
  const auto threshold = static_cast<std::uint64_t>(std::llround(p * 0x1p32));
  const T scale = static_cast<T>(1.0 / (1.0 - p));
  const core::Size first = first_row * x.cols, count = x.rows * x.cols;
  for (core::Size i = 0; i < count;) {
    const core::PhiloxBlock words = stream.block((first + i) / 4);
    for (core::Size lane = (first + i) % 4; lane < 4 && i < count; ++lane, ++i)
      y.data[i] = x.data[i] * (words[lane] >= threshold ? scale : T{0});
  }
}

}  // namespace nnext::ops
