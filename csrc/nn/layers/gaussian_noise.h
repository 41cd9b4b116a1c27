// Gaussian noise, added in training only.
#pragma once

#include "nn/layers/noise.h"
#include "ops/noise.h"

namespace nnext::nn {

// y = x + stddev z in training, z of the standard normal distribution; dx is dy.
template <class T>
class GaussianNoise final : public Noise<T> {
 public:
  GaussianNoise(double stddev, Size number) : Noise<T>(core::Purpose::noise, number), stddev_(stddev) {}
  Traits traits(const Shape&, bool training) const override {
    return {.forward_identity = !training, .backward_identity = true, .in_place = true};
  }
  // A block of Philox for two numbers, and of each a logarithm, a root and a sine.
  Room room(const Shape& in, Size, bool training) const override {
    return {.flops = training ? 64 * static_cast<double>(in.numbers()) : 0};
  }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    ops::add_noise<T>(pass.kernels.noise, this->stream(pass), stddev_, this->first_row(pass, part),
                      frame.x.rows_from(part.begin, part.size()), frame.y.rows_from(part.begin, part.size()));
  }
  void backward(const Pass<T>&, const Frame<T>&, const Part&, int) const override {}

 private:
  double stddev_;
};

}  // namespace nnext::nn
