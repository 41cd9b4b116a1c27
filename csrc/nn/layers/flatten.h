// Flatten: all numbers of a sample in a row, in the order in which people write them.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

// Only images lie in another order, H, W, C. They are turned here, so that the weights behind have PyTorch's order:
// 0.3 % of a step of LeNet-5.
template <class T>
class Flatten final : public Layer<T> {
 public:
  std::optional<Intake> intake() const override { return Intake{.axes = 0, .flat = true}; }
  bool joins_places() const override { return true; }
  Shape out_shape(std::span<const Shape> in) const override { return in.front().numbers(); }
  Traits traits(const Shape& in, bool) const override {
    return {.forward_identity = !in.turned(), .backward_identity = !in.turned()};
  }
  Room room(const Shape&, Size, bool) const override { return {}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    const Shape& in = *frame.in;
    turn(pass, frame.x, in.places(), in.channels, part, frame.y);
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    const Shape& in = *frame.in;
    turn(pass, frame.dy, in.channels, in.places(), part, frame.dx);
  }

 private:
  // The numbers of each sample are a matrix of rows x cols, and become its transpose.
  void turn(const Pass<T>& pass, ConstMatrix<T> from, Size rows, Size cols, const Part& part, Matrix<T> to) const {
    for (Size i = part.begin; i < part.end; ++i)
      pass.kernels.layout.transpose(rows, cols, from.row(i), static_cast<core::Stride>(cols), to.row(i),
                                    static_cast<core::Stride>(rows));
  }
};

}  // namespace nnext::nn
