// Adam: m and v are running means of g and g^2; w -= lr * m^ / (sqrt(v^) + eps) with bias-corrected m^ and v^.
// Kingma and Ba, 2015; weight decay adds weight_decay * w to g, as in PyTorch's Adam.
#pragma once

#include <cmath>

#include "core/config.h"
#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class Adam final : public Optimizer<T> {
 public:
  explicit Adam(const core::Config& config)
      : beta1_(config.numbers("betas").at(0)),
        beta2_(config.numbers("betas").at(1)),
        eps_(config.number("eps")),
        weight_decay_(config.number("weight_decay")) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<Adam>(*this); }
  std::span<const State> states() const override {
    static constexpr State kStates[] = {{"exp_avg", 0}, {"exp_avg_sq", 0}};
    return kStates;
  }
  void begin_step(double lr, const Progress& before) override {
    const auto steps = static_cast<double>(before.steps + 1);
    step_ = {.step_size = static_cast<T>(lr / (1 - std::pow(beta1_, steps))),
             .beta1 = static_cast<T>(beta1_),
             .beta2 = static_cast<T>(beta2_),
             .one_minus_beta1 = static_cast<T>(1 - beta1_),
             .one_minus_beta2 = static_cast<T>(1 - beta2_),
             .inverse_sqrt_correction = static_cast<T>(1 / std::sqrt(1 - std::pow(beta2_, steps))),
             .eps = static_cast<T>(eps_),
             .weight_decay = static_cast<T>(weight_decay_)};
  }
  void apply(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.adam(u.count, step_, u.values, u.gradient, u.state[0], u.state[1]);
  }

 private:
  double beta1_, beta2_, eps_, weight_decay_;
  kernels::AdamStep<T> step_{};
};

}  // namespace nnext::optim
