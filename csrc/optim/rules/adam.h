// Adam: w -= lr * m^ / (sqrt(v^) + eps) with bias-corrected running means m of g and v of g^2, or with the largest v^ so
// far (amsgrad; Reddi, Kale and Kumar, 2018). Kingma and Ba, 2015; AdamW, where weight decay is decoupled, Loshchilov
// and Hutter, 2019. In PyTorch's form.
#pragma once

#include "optim/rules/moments.h"

namespace nnext::optim {

template <class T>
class Adam : public ByMoments<T> {
 public:
  explicit Adam(const core::Config& config) : Adam(config, false) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<Adam>(*this); }

 protected:
  Adam(const core::Config& config, bool decoupled) : ByMoments<T>(config, decoupled, config.flag("amsgrad")) {}
  void prepare_step(const Progress& before) override {
    const auto t = static_cast<double>(before.steps + 1);
    step_ = {this->moments(this->correction2(t)), static_cast<T>(this->lr() / this->correction1(t))};
  }
  void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.adam(u.count, step_, u.values, u.gradient, u.state[0], u.state[1], u.state[2]);
  }

 private:
  kernels::AdamStep<T> step_{};
};

template <class T>
class AdamW final : public Adam<T> {
 public:
  explicit AdamW(const core::Config& config) : Adam<T>(config, true) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<AdamW>(*this); }
};

}  // namespace nnext::optim
