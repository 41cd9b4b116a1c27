// Samples as they lie in somebody else's memory, and what a network of T reads of them: T(x) * scale.
//
// No copy of all of them is ever made. What already is what the network reads is read where it lies; the rest is
// converted row by row, when a batch or a block of predictions is gathered.
#pragma once

#include <algorithm>

#include "core/shape.h"
#include "core/view.h"
#include "kernels/kernel_table.h"

namespace nnext::train {

using core::ConstMatrix;
using core::Matrix;
using core::Size;

template <class T>
inline constexpr kernels::NumberType kNumberType =
    sizeof(T) == sizeof(float) ? kernels::NumberType::float32 : kernels::NumberType::float64;

// How samples are stored. The numbers of a row lie side by side; rows may lie anywhere.
struct Stored {
  kernels::NumberType type;
  const void* data;
  core::Stride row_bytes;  // from one row to the next, may be zero or negative
};

template <class T>
class InputRows {
 public:
  core::Shape shape;  // of a row
  Size rows = 0, cols = 0;

  InputRows(const kernels::ConvertKernels<T>& kernels, Size rows_, const core::Shape& shape_, const Stored& stored,
            T scale)
      : shape(shape_),
        rows(rows_),
        cols(shape_.numbers()),
        stored_(stored),
        scale_(scale),
        turn_(core::Turn::of(shape_)),
        convert_(kernels.from[static_cast<int>(stored.type)]),
        convert_apart_(kernels.apart_from[static_cast<int>(stored.type)]) {
    constexpr Size kBytes[] = {sizeof(float), sizeof(double), sizeof(std::uint8_t)};  // in the order of NumberType
    number_size_ = kBytes[static_cast<int>(stored.type)];
    if (stored.type != kNumberType<T> || scale != 1 || turn_) return;
    convert_ = nullptr;
    in_place_ = rows <= 1 || stored.row_bytes == static_cast<core::Stride>(cols * sizeof(T));
  }

  // Whether the network can read the rows where they lie; only then they can be viewed.
  bool in_place() const { return in_place_; }
  ConstMatrix<T> view(Size first, Size count) const { return {static_cast<const T*>(row(first)), count, cols}; }
  // Writes as many rows as `to` has, from `first` on.
  void read(Size first, Matrix<T> to) const {
    for (Size i = 0; i < to.rows; ++i) {
      if (convert_ == nullptr)
        std::copy_n(static_cast<const T*>(row(first + i)), cols, to.row(i));
      else
        convert(row(first + i), to.row(i));
    }
  }
  // Writes the rows order[0], order[1] ... to `to`, whose rows lie without gaps.
  void gather(const kernels::LayoutKernels<T>& kernels, const std::uint32_t* order, Matrix<T> to) const {
    if (convert_ == nullptr) return kernels.gather(to.rows, cols, stored_.data, stored_.row_bytes, order, to.data);
    for (Size i = 0; i < to.rows; ++i) convert(row(order[i]), to.row(i));
  }
  const void* row(Size i) const {
    return static_cast<const char*>(stored_.data) + static_cast<core::Stride>(i) * stored_.row_bytes;
  }
  Size row_size() const { return cols * number_size_; }  // in bytes
  // The same rows viewed where that is possible, else written to `room`.
  ConstMatrix<T> view_or_read(Size first, Matrix<T> room) const {
    if (in_place_) return view(first, room.rows);
    read(first, room);
    return room;
  }

 private:
  void convert(const void* from, T* to) const {
    if (!turn_) return convert_(cols, from, scale_, to);
    const char* channel = static_cast<const char*>(from);
    for (Size c = 0; c < turn_.channels; ++c, channel += turn_.places * number_size_)
      convert_apart_(turn_.places, channel, scale_, to + c, turn_.channels);
  }

  Stored stored_;
  T scale_;
  core::Turn turn_;  // where channels come first
  Size number_size_ = 0;
  kernels::Convert<T> convert_;  // null: the numbers are what the network reads
  kernels::ConvertApart<T> convert_apart_;
  bool in_place_ = false;
};

}  // namespace nnext::train
