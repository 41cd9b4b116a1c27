// Softmax, and its logarithm, over the channels of each place: the features of a row.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

// y = exp(x) / sum(exp(x)) in each place, or the logarithm of that: what the kernels compute.
template <class T>
class Softmax final : public Layer<T> {
 public:
  explicit Softmax(const kernels::SoftmaxKernels<T>& kernels) : kernels_(kernels) {}
  Traits traits(const Shape&, bool) const override { return {.in_place = true, .reads_y = true}; }
  Room room(const Shape& in, Size, bool) const override { return {.flops = 16 * static_cast<double>(in.numbers())}; }
  void forward(const Pass<T>&, const Frame<T>& frame, const Part& part, int) const override {
    const ConstMatrix<T> x = by_places(frame.x.rows_from(part.begin, part.size()), *frame.in);
    kernels_.forward(x.rows, x.cols, x.data, frame.y.row(part.begin));
  }
  void backward(const Pass<T>&, const Frame<T>& frame, const Part& part, int) const override {
    const Matrix<T> y = by_places(frame.y.rows_from(part.begin, part.size()), *frame.out);
    kernels_.backward(y.rows, y.cols, y.data, frame.dy.row(part.begin), frame.dx.row(part.begin));
  }

 private:
  const kernels::SoftmaxKernels<T>& kernels_;
};

}  // namespace nnext::nn
