// L-BFGS among the rules: its settings, and what it keeps. It has no step of an element; optim/lbfgs.h is what it does.
#pragma once

#include <string>
#include <vector>

#include "core/errors.h"
#include "optim/lbfgs.h"
#include "optim/optimizer.h"

namespace nnext::optim {

template <class T>
class LbfgsRule final : public Optimizer<T> {
 public:
  explicit LbfgsRule(const core::Config& config)
      : Optimizer<T>(config),
        lbfgs_{.max_iterations = config.size("max_iter"),
               .max_evaluations = config.size(config.has("max_eval") ? "max_eval" : "max_iter"),
               .tolerance_gradient = config.number("tolerance_grad"),
               .tolerance_change = config.number("tolerance_change"),
               .history = config.size("history_size")} {
    if (!config.has("max_eval")) lbfgs_.max_evaluations += lbfgs_.max_iterations / 4;
    if (lbfgs_.history > kMaxHistory)
      core::fail_value("[LBFGS] history_size is ", lbfgs_.history, "; give ", kMaxHistory, " at most");
    name_states();
  }
  LbfgsRule(const LbfgsRule& other) : Optimizer<T>(other), lbfgs_(other.lbfgs_) { name_states(); }
  std::unique_ptr<Optimizer<T>> clone() const override { return std::make_unique<LbfgsRule>(*this); }
  // The last changes, oldest first; zeros where there have been fewer.
  std::span<const State> states() const override { return states_; }
  const Lbfgs* minimizer() const override { return &lbfgs_; }

 protected:
  void prepare_step(const Progress&) override { lbfgs_.lr = this->lr(), lbfgs_.weight_decay = this->weight_decay(); }
  void update(const kernels::UpdateKernels<T>&, const Update<T>&) const override {}

 private:
  static constexpr Size kMaxHistory = 1000;
  void name_states() {
    for (Size i = 0; i < lbfgs_.history; ++i)
      for (const char* what : {"weight_change.", "gradient_change."}) names_.push_back(what + std::to_string(i));
    for (const std::string& name : names_) states_.push_back({name.c_str(), 0});
  }

  Lbfgs lbfgs_;
  std::vector<std::string> names_;
  std::vector<State> states_;  // which refer to these
};

}  // namespace nnext::optim
