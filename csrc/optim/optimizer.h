// Update rules. Each acts on every parameter alike, element by element, so it can be applied to any piece at any time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "core/size.h"
#include "kernels/kernel_table.h"
#include "optim/lbfgs.h"

namespace nnext::optim {

inline constexpr Size kMaxStates = 2;

// A piece of a parameter with its gradient and the numbers kept beside it.
template <class T>
struct Update {
  Size count;
  T* values;
  const T* gradient;
  std::array<T*, kMaxStates> state;
};

// Numbers that a rule keeps, under PyTorch's names, and what they start from.
struct State {
  const char* name;
  double start;
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
  virtual ~Optimizer() = default;
  virtual std::unique_ptr<Optimizer> clone() const = 0;
  // Arrays kept beside each parameter, such as momentum.
  virtual std::span<const State> states() const = 0;
  // Of the number that is Progress::product; null: there is none.
  virtual const char* product_name() const { return nullptr; }

  // Of a rule whose step looks at the loss in several places, with all gradients: it is made by this, not by apply().
  virtual const Lbfgs* minimizer() const { return nullptr; }

  // Computes the scalars of the next step once, before apply() is called for its pieces; when
  // they all are done, where it has led.
  virtual void begin_step(double lr, const Progress& before) = 0;
  Progress end_step(const Progress& before) const { return {before.steps + 1, product_}; }
  virtual void apply(const kernels::UpdateKernels<T>& kernels, const Update<T>& update) const = 0;

 protected:
  double product_ = 1;  // after this step, for rules that have one
};

}  // namespace nnext::optim
