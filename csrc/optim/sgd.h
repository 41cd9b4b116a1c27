// Stochastic gradient descent: v = momentum * v + g; w -= lr * v, or with Nesterov w -= lr * (g + momentum * v).
// Sutskever et al., 2013, in PyTorch's form; weight decay adds weight_decay * w to g.
#pragma once

#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class Sgd final : public Optimizer<T> {
 public:
  Sgd(double momentum, bool nesterov, double weight_decay)
      : momentum_(momentum), nesterov_(nesterov), weight_decay_(weight_decay) {}
  Size states() const override { return momentum_ != 0 ? 1 : 0; }
  void begin_step(double lr, std::uint64_t) override {
    step_ = {.lr = static_cast<T>(lr),
             .momentum = static_cast<T>(momentum_),
             .weight_decay = static_cast<T>(weight_decay_),
             .nesterov = nesterov_};
  }
  void apply(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.sgd(u.count, step_, u.values, u.gradient, u.state[0]);
  }

 private:
  double momentum_;
  bool nesterov_;
  double weight_decay_;
  kernels::SgdStep<T> step_{};
};

}  // namespace nnext::optim
