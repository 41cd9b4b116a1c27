// Dropout, active in training only.
#pragma once

#include "core/philox.h"
#include "nn/layer.h"
#include "ops/dropout.h"

namespace nnext::nn {

// Keeps each element with probability 1 - p and scales it by 1 / (1 - p) in training; the identity otherwise.
template <class T>
class Dropout final : public Layer<T> {
 public:
  Dropout(double p, Size index) : p_(p), index_(index) {}
  Size out_features(Size in_features) const override { return in_features; }
  bool passes_through(bool training) const override { return !training; }
  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y) const override { apply(pass, x, y); }
  void backward(const Pass<T>& pass, ConstMatrix<T>, ConstMatrix<T> dy, Matrix<T> dx) const override {
    apply(pass, dy, dx);
  }

 private:
  void apply(const Pass<T>& pass, ConstMatrix<T> from, Matrix<T> to) const {
    const core::PhiloxStream stream(pass.seed, core::Purpose::dropout, index_, pass.step);
    ops::dropout<T>(stream, p_, pass.first_row, from, to);
  }

  double p_;
  Size index_;
};

}  // namespace nnext::nn
