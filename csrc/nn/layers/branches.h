// Where a network splits into branches, and where they join again: the ends of a Residual.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

// All branches read x; its gradient is the sum of theirs, in their order.
template <class T>
class Fork final : public Layer<T> {
 public:
  Traits traits(bool) const override { return {.forward_identity = true}; }
  Room room(Size, Size, bool) const override { return {}; }
  void forward(const Pass<T>&, const Frame<T>&, const Part&, int) const override {}
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    const Size count = part.size() * frame.dx.cols;
    const T* sum = frame.dy.row(part.begin);
    for (const ConstMatrix<T>& dy : frame.more_dy) {
      pass.kernels.elementwise.add(count, sum, dy.row(part.begin), frame.dx.row(part.begin));
      sum = frame.dx.row(part.begin);
    }
  }
};

// y = x + more_x, in their order; each branch gets y's gradient.
template <class T>
class Add final : public Layer<T> {
 public:
  Traits traits(bool) const override { return {.backward_identity = true, .in_place = true}; }
  Room room(Size features, Size, bool) const override { return {.flops = static_cast<double>(features)}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    const Size count = part.size() * frame.y.cols;
    const T* sum = frame.x.row(part.begin);
    for (const ConstMatrix<T>& x : frame.more_x) {
      pass.kernels.elementwise.add(count, sum, x.row(part.begin), frame.y.row(part.begin));
      sum = frame.y.row(part.begin);
    }
  }
  void backward(const Pass<T>&, const Frame<T>&, const Part&, int) const override {}
};

}  // namespace nnext::nn
