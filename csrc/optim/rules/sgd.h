// Stochastic gradient descent: v = momentum * v + (1 - dampening) * g, the first time v = g; w -= lr * v, or with
// Nesterov w -= lr * (g + momentum * v). Sutskever et al., 2013, in PyTorch's form; weight decay adds weight_decay * w
// to g.
#pragma once

#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class Sgd final : public Optimizer<T> {
 public:
  explicit Sgd(const core::Config& config)
      : Optimizer<T>(config),
        momentum_(config.number("momentum")),
        dampening_(config.number("dampening")),
        nesterov_(config.flag("nesterov")),
        has_velocity_(momentum_ != 0) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<Sgd>(*this); }
  std::span<const State> states() const override {
    static constexpr State kStates[] = {{"momentum_buffer", 0}};
    return {kStates, has_velocity_ ? Size{1} : Size{0}};
  }

 protected:
  Settings settings() override { return this->settings_and({{"momentum", &momentum_}, {"dampening", &dampening_}}); }
  void prepare_step(const Progress& before) override {
    step_ = {.lr = static_cast<T>(this->lr()),
             .momentum = static_cast<T>(momentum_),
             .weight_decay = static_cast<T>(this->weight_decay()),
             .share = static_cast<T>(before.steps == 0 ? 1 : 1 - dampening_),
             .nesterov = nesterov_};
  }
  void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.sgd(u.count, step_, u.values, u.gradient, u.state[0]);
  }
  const kernels::SgdStep<T>* plain_sgd() const override { return has_velocity_ ? nullptr : &step_; }

 private:
  double momentum_, dampening_;
  bool nesterov_, has_velocity_;
  kernels::SgdStep<T> step_{};
};

}  // namespace nnext::optim
