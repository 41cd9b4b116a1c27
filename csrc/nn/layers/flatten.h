// Flatten: samples of any shape as rows. The rows arrive flat already (the bindings see to it), so nothing is left to
// do.
#pragma once

#include "nn/layer.h"

namespace nnext::nn {

template <class T>
class Flatten final : public Layer<T> {
 public:
  Traits traits(bool) const override { return {.forward_identity = true, .backward_identity = true}; }
  Room room(Size, Size, bool) const override { return {}; }
  void forward(const Pass<T>&, const Frame<T>&, const Part&, int) const override {}
  void backward(const Pass<T>&, const Frame<T>&, const Part&, int) const override {}
};

}  // namespace nnext::nn
