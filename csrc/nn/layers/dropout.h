// Dropout, active in training only.
#pragma once

#include "nn/layer.h"
#include "ops/dropout.h"

namespace nnext::nn {

// Keeps each element with probability 1 - p and scales it by 1 / (1 - p) in training; the identity otherwise.
template <class T>
class Dropout final : public Layer<T> {
 public:
  Dropout(double p, Size number) : p_(p), number_(number) {}
  Traits traits(const Shape&, bool training) const override {
    return {.forward_identity = !training, .backward_identity = !training};
  }
  Room room(const Shape& in, Size, bool training) const override {
    return {.flops = training ? 8 * static_cast<double>(in.numbers()) : 0};
  }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    apply(pass, frame.x, part, frame.y);
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    apply(pass, frame.dy, part, frame.dx);
  }

 private:
  void apply(const Pass<T>& pass, ConstMatrix<T> from, const Part& part, Matrix<T> to) const {
    const core::PhiloxStream stream(pass.seed, core::Purpose::dropout, number_, pass.step);
    ops::dropout<T>(stream, p_, pass.first_row + part.begin, from.rows_from(part.begin, part.size()),
                    to.rows_from(part.begin, part.size()));
  }

  double p_;
  Size number_;
};

}  // namespace nnext::nn
