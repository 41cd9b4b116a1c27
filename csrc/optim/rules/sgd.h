// Stochastic gradient descent: v = momentum * v + g; w -= lr * v, or with Nesterov w -= lr * (g + momentum * v).
// Sutskever et al., 2013, in PyTorch's form; weight decay adds weight_decay * w to g.
#pragma once

#include "core/config.h"
#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class Sgd final : public Optimizer<T> {
 public:
  explicit Sgd(const core::Config& config)
      : momentum_(config.number("momentum")),
        nesterov_(config.flag("nesterov")),
        weight_decay_(config.number("weight_decay")) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<Sgd>(*this); }
  std::span<const State> states() const override {
    static constexpr State kStates[] = {{"momentum_buffer", 0}};
    return {kStates, momentum_ != 0 ? Size{1} : Size{0}};
  }
  void begin_step(double lr, const Progress&) override {
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
