// What Adam and its kin have in common: running means m of g and v of g^2, and weight decay that adds
// weight_decay * w to g or, decoupled from the gradient, takes lr * weight_decay * w from w.
#pragma once

#include <cmath>
#include <numbers>

#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class ByMoments : public Optimizer<T> {
 public:
  std::span<const State> states() const override {
    static constexpr State kStates[] = {{"exp_avg", 0}, {"exp_avg_sq", 0}, {"max_exp_avg_sq", 0}};
    return {kStates, keeps_largest_ ? Size{3} : Size{2}};
  }

 protected:
  ByMoments(const core::Config& config, bool decoupled, bool keeps_largest = false)
      : Optimizer<T>(config),
        beta1_(config.numbers("betas").at(0)),
        beta2_(config.numbers("betas").at(1)),
        eps_(config.number("eps")),
        decoupled_(decoupled),
        keeps_largest_(keeps_largest) {}

  // The scalars of a step of which `correction2` is 1 - beta2^t.
  kernels::MomentsStep<T> moments(double correction2) const {
    return {.beta1 = static_cast<T>(beta1_),
            .beta2 = static_cast<T>(beta2_),
            .one_minus_beta1 = static_cast<T>(1 - beta1_),
            .one_minus_beta2 = static_cast<T>(1 - beta2_),
            .inverse_sqrt_correction = static_cast<T>(1 / std::sqrt(correction2)),
            .eps = static_cast<T>(eps_),
            .weight_decay = decoupled_ ? T(0) : static_cast<T>(this->weight_decay()),
            .keep = decoupled_ ? this->kept() : T(1)};
  }
  double correction1(double t) const { return correction(beta1_, settled1_, t); }
  double correction2(double t) const { return correction(beta2_, settled2_, t); }

  double beta1_, beta2_, eps_;

 private:
  // The step from which on 1 - beta^t is 1, rounded: beta^t < 2^-54.
  static double settled(double beta) { return -54 * std::numbers::ln2 / std::log(beta) + 1; }
  // Two powers are a tenth of the instructions of a step of 2-2-1.
  static double correction(double beta, double settled, double t) { return t > settled ? 1 : 1 - std::pow(beta, t); }

  double settled1_ = settled(beta1_), settled2_ = settled(beta2_);
  bool decoupled_, keeps_largest_;
};

}  // namespace nnext::optim
