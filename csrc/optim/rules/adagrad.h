// Adagrad: s += g^2; w -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps). Duchi, Hazan and Singer, 2011.
#pragma once

#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class Adagrad final : public Optimizer<T> {
 public:
  explicit Adagrad(const core::Config& config)
      : Optimizer<T>(config),
        lr_decay_(config.number("lr_decay")),
        eps_(config.number("eps")),
        states_{State{"sum", config.number("initial_accumulator_value")}} {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<Adagrad>(*this); }
  std::span<const State> states() const override { return states_; }

 protected:
  void prepare_step(const Progress& before) override {
    step_ = {.lr = static_cast<T>(this->lr() / (1 + static_cast<double>(before.steps) * lr_decay_)),
             .eps = static_cast<T>(eps_),
             .weight_decay = static_cast<T>(this->weight_decay())};
  }
  void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.adagrad(u.count, step_, u.values, u.gradient, u.state[0]);
  }

 private:
  double lr_decay_, eps_;
  std::array<State, 1> states_;
  kernels::AdagradStep<T> step_{};
};

}  // namespace nnext::optim
