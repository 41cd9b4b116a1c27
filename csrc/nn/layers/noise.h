// Layers that are random in training, and change nothing otherwise.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

// Its numbers are functions of the layer, the step and the element: backward() has those of forward() again.
template <class T>
class Noise : public Layer<T> {
 public:
  Noise(core::Purpose purpose, Size number) : purpose_(purpose), number_(number) {}
  Traits traits(const Shape&, bool training) const override {
    return {.forward_identity = !training, .backward_identity = !training, .in_place = true};
  }
  Room room(const Shape& in, Size, bool training) const override {
    return {.flops = training ? 8 * static_cast<double>(in.numbers()) : 0};
  }

 protected:
  core::PhiloxStream stream(const Pass<T>& pass) const { return {pass.seed, purpose_, number_, pass.step}; }
  static Size first_row(const Pass<T>& pass, const Part& part) { return pass.first_row + part.begin; }

 private:
  core::Purpose purpose_;
  Size number_;
};

}  // namespace nnext::nn
