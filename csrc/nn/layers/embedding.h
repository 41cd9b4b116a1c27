// Embedding: the vector weight[x] of each whole number x of a sequence, one after the other.
#pragma once

#include "core/config.h"
#include "nn/initializer.h"
#include "nn/layer.h"

namespace nnext::nn {

template <class T>
class Embedding final : public Layer<T> {
 public:
  Embedding(const kernels::KernelTable<T>& kernels, const core::Config& config);

  std::optional<Intake> intake() const override { return Intake{.channels = 1, .axes = 1, .categories = vectors_}; }
  Shape out_shape(std::span<const Shape> in) const override;
  Traits traits(const Shape&, bool) const override { return {.reads_x = true}; }
  Room room(const Shape& in, Size rows, bool training) const override;
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void initialize(const Streams& streams, runtime::Cancel& cancel) override;
  std::vector<Piece> pieces() const override;
  void gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine, Sink<T>& sink) const override;
  Size columns(Size) const override { return size_; }
  void column_squares(const kernels::KernelTable<T>& kernels, Size i, const T* stored, Range part,
                      double* out) const override;

 private:
  using Position = std::uint32_t;  // of a number among those of all rows
  static constexpr Position kNone = UINT32_MAX;
  struct Lists;

  // The number of a vector, or of none: what is not checked at the door, as behind another layer, may be anything.
  Size vector_of(T x) const { return x >= 0 && x < static_cast<T>(vectors_) ? static_cast<Size>(x) : vectors_; }
  Size vectors_a_piece() const { return std::max<Size>(1, kMaxPiece / size_); }
  Size lists() const { return core::divide_up(vectors_, vectors_a_piece()); }
  const T* weight() const { return this->parameters[0].values.data(); }

  const kernels::KernelTable<T>& kernels_;
  Initializer init_;
  Size vectors_, size_;
  Size padding_;  // the number whose vector has no gradient; vectors_: there is none
};

}  // namespace nnext::nn
