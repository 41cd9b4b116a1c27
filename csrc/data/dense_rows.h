// Arrays as they lie, and what a network of T reads of them: T(x) * scale.
//
// What already is what the network reads is read where it lies; the rest is converted row by row, when a batch or a
// block of predictions is gathered, and images, which people write channels first, are turned.
#pragma once

#include "data/source.h"
#include "kernels/kernel_table.h"

namespace nnext::data {

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
class DenseRows final : public Source<T> {
 public:
  DenseRows(const kernels::KernelTable<T>& kernels, Size rows_, const core::Shape& shape_, const Stored& stored,
            T scale, const std::uint32_t* chosen = nullptr, const std::uint32_t* lengths = nullptr)
      : Source<T>(rows_, shape_, {stored.data, stored.row_bytes, shape_.numbers() * size_of(stored.type)}, chosen,
                  lengths),
        kernels_(&kernels),
        stored_(stored),
        scale_(scale),
        turn_(core::Turn::of(shape_)) {
    if (stored.type != kNumberType<T> || scale != 1 || turn_) {
      convert_ = kernels.convert.from[static_cast<int>(stored.type)];
      return;
    }
    this->set_in_place(rows_ <= 1 || stored.row_bytes == static_cast<core::Stride>(this->cols * sizeof(T)));
  }

 private:
  static Size size_of(kernels::NumberType type) {
    constexpr Size kBytes[] = {sizeof(float), sizeof(double), sizeof(std::uint8_t)};  // in the order of NumberType
    return kBytes[static_cast<int>(type)];
  }
  // One row as the network reads it: nothing else converts.
  void put(Size i, T* to) const {
    const void* from = static_cast<const char*>(stored_.data) + static_cast<core::Stride>(i) * stored_.row_bytes;
    if (convert_ == nullptr)
      std::copy_n(static_cast<const T*>(from), this->cols, to);
    else if (turn_)
      put_turned(static_cast<const char*>(from), to);
    else
      convert_(this->cols, from, scale_, to);
    this->clear_after_end(i, to);
  }
  void put_turned(const char* channel, T* to) const {
    const auto convert = kernels_->convert.apart_from[static_cast<int>(stored_.type)];
    for (Size c = 0; c < turn_.channels; ++c, channel += turn_.places * size_of(stored_.type))
      convert(turn_.places, channel, scale_, to + c, turn_.channels);
  }
  void read_lying(Size first, Matrix<T> to) const override {
    for (Size i = 0; i < to.rows; ++i) put(first + i, to.row(i));
  }
  void gather_lying(const std::uint32_t* order, Matrix<T> to) const override {
    if (convert_ == nullptr && !this->has_lengths())
      return kernels_->layout.gather(to.rows, this->cols, stored_.data, stored_.row_bytes, order, to.data);
    for (Size i = 0; i < to.rows; ++i) put(order[i], to.row(i));
  }

  const kernels::KernelTable<T>* kernels_;
  Stored stored_;
  T scale_;
  core::Turn turn_;
  kernels::Convert<T> convert_ = nullptr;  // null: the numbers are what the network reads
};

}  // namespace nnext::data
