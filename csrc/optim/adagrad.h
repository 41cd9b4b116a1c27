// Adagrad: s += g^2; w -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps). Duchi, Hazan and Singer, 2011.
#pragma once

#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class Adagrad final : public Optimizer<T> {
 public:
  Adagrad(double lr_decay, double eps, double initial_accumulator_value, double weight_decay)
      : lr_decay_(lr_decay), eps_(eps), initial_(initial_accumulator_value), weight_decay_(weight_decay) {}
  Size states() const override { return 1; }
  double initial_state() const override { return initial_; }
  void begin_step(double lr, std::uint64_t t) override {
    step_ = {.lr = static_cast<T>(lr / (1 + static_cast<double>(t - 1) * lr_decay_)),
             .eps = static_cast<T>(eps_),
             .weight_decay = static_cast<T>(weight_decay_)};
  }
  void apply(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.adagrad(u.count, step_, u.values, u.gradient, u.state[0]);
  }

 private:
  double lr_decay_, eps_, initial_, weight_decay_;
  kernels::AdagradStep<T> step_{};
};

}  // namespace nnext::optim
