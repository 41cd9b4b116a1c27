// Dropout and alpha dropout, active in training only.
#pragma once

#include "nn/layers/noise.h"
#include "ops/dropout.h"

namespace nnext::nn {

// Keeps each element with probability 1 - p and scales it by 1 / (1 - p) in training; the identity otherwise.
template <class T>
class Dropout final : public Noise<T> {
 public:
  Dropout(double p, Size number) : Noise<T>(core::Purpose::dropout, number), p_(p) {}
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    apply(pass, frame.x, part, frame.y);
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    apply(pass, frame.dy, part, frame.dx);
  }

 private:
  void apply(const Pass<T>& pass, ConstMatrix<T> from, const Part& part, Matrix<T> to) const {
    ops::dropout<T>(pass.kernels.noise, this->stream(pass), p_, static_cast<T>(1.0 / (1.0 - p_)),
                    this->first_row(pass, part), from.rows_from(part.begin, part.size()),
                    to.rows_from(part.begin, part.size()));
  }

  double p_;
};

// The same for what follows SELU, whose mean 0 and variance 1 it keeps.
template <class T>
class AlphaDropout final : public Noise<T> {
 public:
  AlphaDropout(double p, Size number) : Noise<T>(core::Purpose::dropout, number), p_(p) {}
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    ops::alpha_dropout<T>(pass.kernels.noise, this->stream(pass), p_, this->first_row(pass, part),
                          frame.x.rows_from(part.begin, part.size()), frame.y.rows_from(part.begin, part.size()));
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    ops::dropout<T>(pass.kernels.noise, this->stream(pass), p_, static_cast<T>(ops::AlphaDropout(p_).scale),
                    this->first_row(pass, part), frame.dy.rows_from(part.begin, part.size()),
                    frame.dx.rows_from(part.begin, part.size()));
  }

 private:
  double p_;
};

}  // namespace nnext::nn
