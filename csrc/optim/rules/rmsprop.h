// RMSprop: s = alpha s + (1 - alpha) g^2; w -= lr g / (sqrt(s) + eps), or along a velocity of such moves. Centered, the
// square of the running mean of g is taken from s. Tieleman and Hinton, 2012, in PyTorch's form; weight decay adds
// weight_decay * w to g.
#pragma once

#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class RmsProp final : public Optimizer<T> {
 public:
  explicit RmsProp(const core::Config& config)
      : Optimizer<T>(config),
        alpha_(config.number("alpha")),
        eps_(config.number("eps")),
        momentum_(config.number("momentum")) {
    states_.push_back({"square_avg", 0});
    if (momentum_ != 0) velocity_ = states_.size(), states_.push_back({"momentum_buffer", 0});
    if (config.flag("centered")) mean_ = states_.size(), states_.push_back({"grad_avg", 0});
  }
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<RmsProp>(*this); }
  std::span<const State> states() const override { return states_; }

 protected:
  Settings settings() override { return this->settings_and({{"alpha", &alpha_}, {"momentum", &momentum_}}); }
  void prepare_step(const Progress&) override {
    step_ = {.lr = static_cast<T>(this->lr()),
             .alpha = static_cast<T>(alpha_),
             .one_minus_alpha = static_cast<T>(1 - alpha_),
             .eps = static_cast<T>(eps_),
             .momentum = static_cast<T>(momentum_),
             .weight_decay = static_cast<T>(this->weight_decay())};
  }
  void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    const auto kept = [&](Size state) { return state > 0 ? u.state[state] : nullptr; };
    kernels.rmsprop(u.count, step_, u.values, u.gradient, u.state[0], kept(velocity_), kept(mean_));
  }

 private:
  double alpha_, eps_, momentum_;
  std::vector<State> states_;
  Size velocity_ = 0, mean_ = 0;  // which of the states; 0: it has none
  kernels::RmsPropStep<T> step_{};
};

}  // namespace nnext::optim
