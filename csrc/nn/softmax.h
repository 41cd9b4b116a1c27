// Softmax over the features of each row.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

// y = exp(x) / sum(exp(x)) in each row.
template <class T>
class Softmax final : public Layer<T> {
 public:
  Size out_features(Size in_features) const override { return in_features; }
  bool in_place() const override { return true; }
  bool needs_output() const override { return true; }
  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y) const override {
    pass.kernels.softmax.forward(x.rows, x.cols, x.data, y.data);
  }
  void backward(const Pass<T>& pass, ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx) const override {
    pass.kernels.softmax.backward(y.rows, y.cols, y.data, dy.data, dx.data);
  }
};

}  // namespace nnext::nn
