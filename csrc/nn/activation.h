// Element-wise activations.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

// y = f(x) for an activation of the kernel table, whose gradient is told from y.
template <class T>
class Activation final : public Layer<T> {
 public:
  Activation(kernels::Activation kind, double slope) : kind_(static_cast<int>(kind)), slope_(static_cast<T>(slope)) {}
  Size out_features(Size in_features) const override { return in_features; }
  bool in_place() const override { return true; }
  bool needs_output() const override { return true; }
  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y) const override {
    kernels(pass.kernels).forward(x.rows * x.cols, slope_, x.data, y.data);
  }
  void backward(const Pass<T>& pass, ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx) const override {
    kernels(pass.kernels).backward(y.rows * y.cols, slope_, y.data, dy.data, dx.data);
  }

  const kernels::ActivationKernels<T>& kernels(const kernels::KernelTable<T>& table) const {
    return table.elementwise.activations[kind_];
  }
  T slope() const { return slope_; }

 private:
  int kind_;
  T slope_;
};

}  // namespace nnext::nn
