// L-BFGS among the rules: its settings, and what it keeps. It has no step of an element; optim/lbfgs.h is what it does.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "optim/lbfgs.h"
#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class LbfgsRule final : public Optimizer<T> {
 public:
  explicit LbfgsRule(const core::Config& config)
      : LbfgsRule(Lbfgs{config.size("max_iter"),
                        config.has("max_eval") ? config.size("max_eval") : config.size("max_iter") * 5 / 4,
                        config.number("tolerance_grad"), config.number("tolerance_change"), config.size("history_size"),
                        config.number("weight_decay")}) {}
  explicit LbfgsRule(const Lbfgs& lbfgs) : lbfgs_(lbfgs) {
    for (Size i = 0; i < lbfgs.history; ++i)
      for (const char* what : {"weight_change.", "gradient_change."}) names_.push_back(what + std::to_string(i));
    for (const std::string& name : names_) states_.push_back({name.c_str(), 0});
  }
  LbfgsRule(const LbfgsRule&) = delete;  // states_ refer to names_
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<LbfgsRule>(lbfgs_); }
  // The last changes, oldest first; zeros where there have been fewer.
  std::span<const State> states() const override { return states_; }
  const Lbfgs* minimizer() const override { return &lbfgs_; }
  void begin_step(double, const Progress&) override {}
  void apply(const kernels::UpdateKernels<T>&, const Update<T>&) const override {}

 private:
  Lbfgs lbfgs_;
  std::vector<std::string> names_;
  std::vector<State> states_;
};

}  // namespace nnext::optim
