// Update rules. Each acts on every parameter alike, element by element, so it can be applied to any piece at any time.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include "core/config.h"
#include "core/size.h"
#include "kernels/kernel_table.h"
#include "optim/lbfgs.h"

namespace nnext::optim {

inline constexpr Size kMaxStates = 3;

// A piece of a parameter with its gradient, which may be changed, and the numbers kept beside it.
template <class T>
struct Update {
  Size count;
  T* values;
  T* gradient;
  std::array<T*, kMaxStates> state;  // null: none
};

// Numbers that a rule keeps, under PyTorch's names, and what they start from.
struct State {
  const char* name;
  double start;
};

// A number that each step may have anew, under the name that it has in Python.
struct Setting {
  const char* name;
  double* value;
};

// The settings of a rule.
class Settings {
 public:
  void add(Setting setting) { at_[count_++] = setting; }
  operator std::span<const Setting>() const { return {at_.data(), count_}; }

 private:
  std::array<Setting, 8> at_{};
  Size count_ = 0;
};

// How far a group of parameters has come: what parameters that are trained together have in common.
struct Progress {
  std::uint64_t steps = 0;
  double product = 1;  // of a rule that has such a state: NAdam's momenta so far

  bool operator==(const Progress&) const = default;
};

template <class T>
class Optimizer {
 public:
  explicit Optimizer(const core::Config& config)
      : lr_(config.number("lr")), weight_decay_(config.number("weight_decay")), l1_(config.number("l1")) {}
  virtual ~Optimizer() = default;
  virtual std::unique_ptr<Optimizer> clone() const = 0;
  // Arrays kept beside each parameter, such as momentum.
  virtual std::span<const State> states() const = 0;
  // Of the number that is Progress::product; null: there is none.
  virtual const char* product_name() const { return nullptr; }

  // Of a rule whose step looks at the loss in several places, with all gradients: it is made by this, not by apply().
  virtual const Lbfgs* minimizer() const { return nullptr; }

  // Where a setting is among those of this rule. Throws std::invalid_argument for a name that none of them has.
  Size find_setting(std::string_view name);
  void set(Size setting, double value) { *std::span<const Setting>(settings())[setting].value = value; }
  // A factor on the learning rate, whatever that is set to; and the limit of each element of the gradient.
  void scale_lr(double factor) { lr_scale_ = factor; }
  void limit_gradient(double limit) { limit_ = limit; }

  // Computes the scalars of the next step once, before apply() is called for its pieces; when
  // they all are done, where it has led.
  void begin_step(const Progress& before) {
    prepares_ = l1_ != 0 || limit_ != kNoLimit;
    prepare_step(before);
  }
  Progress end_step(const Progress& before) const { return {before.steps + 1, product_}; }
  void apply(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const {
    if (prepares_) kernels.prepare(u.count, static_cast<T>(limit_), static_cast<T>(l1_), u.values, u.gradient);
    update(kernels, u);
  }

  // What else there is to apply(): the step of SGD without a velocity, for kernels of gradients that make it by themselves.
  // Null: there is more to it.
  const kernels::SgdStep<T>* plain_step() const { return prepares_ ? nullptr : plain_sgd(); }

 protected:
  virtual const kernels::SgdStep<T>* plain_sgd() const { return nullptr; }
  virtual Settings settings() { return settings_and({}); }
  virtual void prepare_step(const Progress& before) = 0;
  virtual void update(const kernels::UpdateKernels<T>& kernels, const Update<T>& u) const = 0;

  // Those that all rules have, and some of one's own.
  Settings settings_and(std::initializer_list<Setting> own) {
    Settings all;
    for (const Setting& setting : {Setting{"lr", &lr_}, {"weight_decay", &weight_decay_}, {"l1", &l1_}})
      all.add(setting);
    for (const Setting& setting : own) all.add(setting);
    return all;
  }
  double lr() const { return lr_ * lr_scale_; }
  double weight_decay() const { return weight_decay_; }
  // What decoupled weight decay leaves of a weight.
  T kept() const { return static_cast<T>(1 - lr() * weight_decay_); }

  double product_ = 1;  // after this step, for rules that have one

 private:
  static constexpr double kNoLimit = std::numeric_limits<double>::infinity();
  double lr_, weight_decay_, l1_;
  double lr_scale_ = 1, limit_ = kNoLimit;
  bool prepares_ = false;  // the gradient, in this step
};

}  // namespace nnext::optim
