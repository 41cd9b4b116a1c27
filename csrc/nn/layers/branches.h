// Where a network splits into branches, and where they join again: the ends of a Residual.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

// to = first + more, in their order, for the rows of a part. `to` may lie where `first` does.
template <class T>
void add_rows(const Pass<T>& pass, ConstMatrix<T> first, std::span<const ConstMatrix<T>> more, const Part& part,
              Matrix<T> to) {
  const T* sum = first.row(part.begin);
  for (const ConstMatrix<T>& next : more) {
    pass.kernels.elementwise.add(part.size() * to.cols, sum, next.row(part.begin), to.row(part.begin));
    sum = to.row(part.begin);
  }
}

// All branches read x; its gradient is the sum of theirs, in their order.
template <class T>
class Fork final : public Layer<T> {
 public:
  Traits traits(bool) const override { return {.forward_identity = true}; }
  Room room(Size, Size, bool) const override { return {}; }
  void forward(const Pass<T>&, const Frame<T>&, const Part&, int) const override {}
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    add_rows<T>(pass, frame.dy, frame.more_dy, part, frame.dx);
  }
};

// y = x + more_x, in their order; each branch gets y's gradient.
template <class T>
class Add final : public Layer<T> {
 public:
  Traits traits(bool) const override { return {.backward_identity = true, .in_place = true}; }
  Room room(Size features, Size, bool) const override { return {.flops = static_cast<double>(features)}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    add_rows<T>(pass, frame.x, frame.more_x, part, frame.y);
  }
  void backward(const Pass<T>&, const Frame<T>&, const Part&, int) const override {}
};

}  // namespace nnext::nn
