// Lion: w = (1 - lr weight_decay) w - lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g. Chen et al.,
// NeurIPS 2023.
#pragma once

#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class Lion final : public Optimizer<T> {
 public:
  explicit Lion(const core::Config& config)
      : Optimizer<T>(config), beta1_(config.numbers("betas").at(0)), beta2_(config.numbers("betas").at(1)) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<Lion>(*this); }
  std::span<const State> states() const override {
    static constexpr State kStates[] = {{"exp_avg", 0}};
    return kStates;
  }

 protected:
  void prepare_step(const Progress&) override {
    step_ = {.lr = static_cast<T>(this->lr()),
             .beta1 = static_cast<T>(beta1_),
             .beta2 = static_cast<T>(beta2_),
             .one_minus_beta1 = static_cast<T>(1 - beta1_),
             .one_minus_beta2 = static_cast<T>(1 - beta2_),
             .keep = this->kept()};
  }
  void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.lion(u.count, step_, u.values, u.gradient, u.state[0]);
  }

 private:
  double beta1_, beta2_;
  kernels::LionStep<T> step_{};
};

}  // namespace nnext::optim
