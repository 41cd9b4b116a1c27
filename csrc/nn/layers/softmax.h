// Softmax over the features of each row.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

// y = exp(x) / sum(exp(x)) in each row.
template <class T>
class Softmax final : public Layer<T> {
 public:
  Traits traits(bool) const override { return {.in_place = true, .reads_y = true}; }
  Room room(Size features, Size, bool) const override { return {.flops = 16 * static_cast<double>(features)}; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    pass.kernels.softmax.forward(part.size(), frame.x.cols, frame.x.row(part.begin), frame.y.row(part.begin));
  }
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const override {
    pass.kernels.softmax.backward(part.size(), frame.y.cols, frame.y.row(part.begin), frame.dy.row(part.begin),
                                  frame.dx.row(part.begin));
  }
};

}  // namespace nnext::nn
