// NAdam: Adam that looks ahead along its momentum. With mu_t = beta1 (1 - 0.96^(t decay) / 2) and their product so far,
//   w -= lr (1 - mu_t) / (1 - product_t) g / (sqrt(v^) + eps) + lr mu_t+1 / (1 - product_t+1) m / (sqrt(v^) + eps).
// Dozat, ICLR 2016 workshop, in PyTorch's form.
#pragma once

#include "optim/rules/moments.h"

namespace nnext::optim {

template <class T>
class NAdam final : public ByMoments<T> {
 public:
  explicit NAdam(const core::Config& config)
      : ByMoments<T>(config, config.flag("decoupled_weight_decay")), momentum_decay_(config.number("momentum_decay")) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<NAdam>(*this); }
  const char* product_name() const override { return "mu_product"; }

 protected:
  void prepare_step(const Progress& before) override {
    const std::uint64_t t = before.steps + 1;
    const double mu = momentum(t), next = momentum(t + 1), lr = this->lr();
    this->product_ = before.product * mu;
    step_ = {.moments = this->moments(this->correction2(static_cast<double>(t))),
             .gradient_size = static_cast<T>(lr * (1 - mu) / (1 - this->product_)),
             .momentum_size = static_cast<T>(lr * next / (1 - this->product_ * next))};
  }
  void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.nadam(u.count, step_, u.values, u.gradient, u.state[0], u.state[1]);
  }

 private:
  double momentum(std::uint64_t step) const {  // mu of that step
    return this->beta1_ * (1 - 0.5 * std::pow(0.96, static_cast<double>(step) * momentum_decay_));
  }

  double momentum_decay_;
  kernels::NAdamStep<T> step_{};
};

}  // namespace nnext::optim
