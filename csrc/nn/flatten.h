// Flatten: samples of any shape as rows. The rows arrive flat already (the bindings see to it), so nothing is left to
// do.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

template <class T>
class Flatten final : public Layer<T> {
 public:
  Size out_features(Size in_features) const override { return in_features; }
  bool passes_through(bool) const override { return true; }
  void forward(const Pass<T>&, ConstMatrix<T>, Matrix<T>) const override {}
  void backward(const Pass<T>&, ConstMatrix<T>, ConstMatrix<T>, Matrix<T>) const override {}
};

}  // namespace nnext::nn
