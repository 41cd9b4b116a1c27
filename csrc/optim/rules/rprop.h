// Rprop: each weight has a step of its own, from lr at the start, that grows while its gradient keeps its sign and shrinks
// when that turns. Riedmiller and Braun, 1993, in PyTorch's form; weight decay adds weight_decay * w to g.
#pragma once

#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class Rprop final : public Optimizer<T> {
 public:
  explicit Rprop(const core::Config& config)
      : Optimizer<T>(config),
        shrink_(config.numbers("etas").at(0)),
        grow_(config.numbers("etas").at(1)),
        smallest_(config.numbers("step_sizes").at(0)),
        largest_(config.numbers("step_sizes").at(1)) {}
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<Rprop>(*this); }
  std::span<const State> states() const override {
    static constexpr State kStates[] = {{"prev", 0}, {"step_size", 0}};
    return kStates;
  }

 protected:
  void prepare_step(const Progress& before) override {
    step_ = {.shrink = static_cast<T>(shrink_),
             .grow = static_cast<T>(grow_),
             .smallest = static_cast<T>(smallest_),
             .largest = static_cast<T>(largest_),
             .weight_decay = static_cast<T>(this->weight_decay()),
             .start = static_cast<T>(this->lr()),
             .first = before.steps == 0};
  }
  void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const override {
    kernels.rprop(u.count, step_, u.values, u.gradient, u.state[0], u.state[1]);
  }

 private:
  double shrink_, grow_, smallest_, largest_;
  kernels::RpropStep<T> step_{};
};

}  // namespace nnext::optim
