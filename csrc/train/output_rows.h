// What a network gives, as people write it: images channels first.
#pragma once

#include <algorithm>

#include "core/shape.h"
#include "core/view.h"
#include "kernels/kernel_table.h"

namespace nnext::train {

template <class T>
void put_row(const kernels::LayoutKernels<T>& kernels, core::Turn turn, core::Size numbers, const T* from, T* to) {
  if (turn)
    kernels.transpose(turn.places, turn.channels, from, static_cast<core::Stride>(turn.channels), to,
                      static_cast<core::Stride>(turn.places));
  else
    std::copy_n(from, numbers, to);
}

template <class T>
void put_rows(const kernels::LayoutKernels<T>& kernels, const core::Shape& shape, core::ConstMatrix<T> from,
              core::Matrix<T> to) {
  const core::Turn turn = core::Turn::of(shape);
  for (core::Size i = 0; i < from.rows; ++i) put_row(kernels, turn, from.cols, from.row(i), to.row(i));
}

// The way back: numbers as people write them to rows as they lie.
template <class T>
void take_rows(const kernels::LayoutKernels<T>& kernels, const core::Shape& shape, const T* from, core::Matrix<T> to) {
  const core::Turn turn = core::Turn::of(shape);
  for (core::Size i = 0; i < to.rows; ++i, from += to.cols)
    put_row(kernels, core::Turn{turn.places, turn.channels}, to.cols, from, to.row(i));
}

}  // namespace nnext::train
