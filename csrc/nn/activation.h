// Element-wise activations.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

// y = f(x) for an activation of the kernel table whose gradient is told from y.
template <class T>
class Activation final : public Layer<T> {
 public:
  Activation(const kernels::ActivationKernels<T>& kernels, double argument)
      : kernels_(kernels), argument_(static_cast<T>(argument)) {}
  Size out_features(Size in_features) const override { return in_features; }
  bool in_place() const override { return true; }
  bool needs_output() const override { return true; }
  void forward(const Pass<T>&, ConstMatrix<T> x, Matrix<T> y) const override {
    kernels_.forward(x.rows * x.cols, argument_, x.data, y.data);
  }
  void backward(const Pass<T>&, ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx) const override {
    kernels_.backward(y.rows * y.cols, argument_, y.data, dy.data, dx.data);
  }

  const kernels::ActivationKernels<T>& kernels() const { return kernels_; }
  T argument() const { return argument_; }

 private:
  const kernels::ActivationKernels<T>& kernels_;
  T argument_;
};

}  // namespace nnext::nn
