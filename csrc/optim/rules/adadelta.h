// Adadelta: s = rho s + (1 - rho) g^2; d = sqrt(a + eps) / sqrt(s + eps) g; a = rho a + (1 - rho) d^2; w -= lr d.
// Zeiler, arXiv:1212.5701, in PyTorch's form; weight decay adds weight_decay * w to g.
#pragma once

#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class Adadelta final : public Optimizer<T> {
 public:
  explicit Adadelta(const core::Config& config)
      : Optimizer<T>(config), rho_(config.number("rho")), eps_(config.number("eps")) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<Adadelta>(*this); }
  std::span<const State> states() const override {
    static constexpr State kStates[] = {{"square_avg", 0}, {"acc_delta", 0}};
    return kStates;
  }

 protected:
  Settings settings() override { return this->settings_and({{"rho", &rho_}}); }
  void prepare_step(const Progress&) override {
    step_ = {.lr = static_cast<T>(this->lr()),
             .rho = static_cast<T>(rho_),
             .one_minus_rho = static_cast<T>(1 - rho_),
             .eps = static_cast<T>(eps_),
             .weight_decay = static_cast<T>(this->weight_decay())};
  }
  void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.adadelta(u.count, step_, u.values, u.gradient, u.state[0], u.state[1]);
  }

 private:
  double rho_, eps_;
  kernels::AdadeltaStep<T> step_{};
};

}  // namespace nnext::optim
