// RAdam: Adam without its divisor until enough steps tell the variance of g^2, then rectified by how well they do. With
// rho = 2 / (1 - beta2) - 1 and rho_t = rho - 2 t beta2^t / (1 - beta2^t), from rho_t > 5 on,
//   r = sqrt((rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t)); w -= lr r m^ sqrt(1 - beta2^t) / (sqrt(v) + eps),
// before w -= lr m^. Liu et al., ICLR 2020, in PyTorch's form.
#pragma once

#include "optim/rules/moments.h"

namespace nnext::optim {

template <class T>
class RAdam final : public ByMoments<T> {
 public:
  explicit RAdam(const core::Config& config) : ByMoments<T>(config, config.flag("decoupled_weight_decay")) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<RAdam>(*this); }

 protected:
  // Adam's kernel with other scalars: the bias of v is in the size of the step, and a divisor of 1 is none.
  void prepare_step(const Progress& before) override {
    const auto t = static_cast<double>(before.steps + 1);
    const double correction = this->correction2(t), rho = 2 / (1 - this->beta2_) - 1;
    const double rho_t = rho - 2 * t * (1 - correction) / correction;
    double size = this->lr() / this->correction1(t);
    step_.moments = this->moments(1);
    if (rho_t > 5) {
      const double r = std::sqrt((rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t));
      size *= r * std::sqrt(correction);
    } else {
      step_.moments.inverse_sqrt_correction = 0, step_.moments.eps = 1;
    }
    step_.step_size = static_cast<T>(size);
  }
  void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.adam(u.count, step_, u.values, u.gradient, u.state[0], u.state[1], nullptr);
  }

 private:
  kernels::AdamStep<T> step_{};
};

}  // namespace nnext::optim
