// NAdam: Adam that looks ahead along its momentum. With mu_t = beta1 (1 - 0.96^(t decay) / 2) and their product so far,
//   w -= lr (1 - mu_t) / (1 - product_t) g / (sqrt(v^) + eps) + lr mu_t+1 / (1 - product_t+1) m / (sqrt(v^) + eps).
// Dozat, ICLR 2016 workshop; weight decay adds weight_decay * w to g, as in PyTorch's NAdam.
#pragma once

#include <cmath>

#include "core/config.h"
#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class NAdam final : public Optimizer<T> {
 public:
  explicit NAdam(const core::Config& config)
      : beta1_(config.numbers("betas").at(0)),
        beta2_(config.numbers("betas").at(1)),
        eps_(config.number("eps")),
        weight_decay_(config.number("weight_decay")),
        momentum_decay_(config.number("momentum_decay")) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<NAdam>(*this); }
  std::span<const State> states() const override {
    static constexpr State kStates[] = {{"exp_avg", 0}, {"exp_avg_sq", 0}};
    return kStates;
  }
  const char* product_name() const override { return "mu_product"; }

  void begin_step(double lr, const Progress& before) override {
    const std::uint64_t t = before.steps + 1;
    const double mu = momentum(t), next = momentum(t + 1);
    this->product_ = before.product * mu;
    step_ = {.gradient_size = static_cast<T>(lr * (1 - mu) / (1 - this->product_)),
             .momentum_size = static_cast<T>(lr * next / (1 - this->product_ * next)),
             .beta1 = static_cast<T>(beta1_),
             .beta2 = static_cast<T>(beta2_),
             .one_minus_beta1 = static_cast<T>(1 - beta1_),
             .one_minus_beta2 = static_cast<T>(1 - beta2_),
             .inverse_sqrt_correction = static_cast<T>(1 / std::sqrt(1 - std::pow(beta2_, static_cast<double>(t)))),
             .eps = static_cast<T>(eps_),
             .weight_decay = static_cast<T>(weight_decay_)};
  }
  void apply(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.nadam(u.count, step_, u.values, u.gradient, u.state[0], u.state[1]);
  }

 private:
  double momentum(std::uint64_t step) const {  // mu of that step
    return beta1_ * (1 - 0.5 * std::pow(0.96, static_cast<double>(step) * momentum_decay_));
  }

  double beta1_, beta2_, eps_, weight_decay_, momentum_decay_;
  kernels::NAdamStep<T> step_{};
};

}  // namespace nnext::optim
