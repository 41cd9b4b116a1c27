// Update rules. Each acts on every parameter alike, element by element, so it can be applied to any piece at any time.
#pragma once

#include <array>
#include <cstdint>

#include "core/size.h"
#include "kernels/kernel_table.h"

namespace nnext::optim {

using core::Size;

inline constexpr Size kMaxStates = 2;

// A piece of a parameter with its gradient and the numbers kept beside it.
template <class T>
struct Update {
  Size count;
  T* values;
  const T* gradient;
  std::array<T*, kMaxStates> state;
};

template <class T>
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Arrays kept beside each parameter (momentum and the like), and what they start from.
  virtual Size states() const = 0;
  virtual double initial_state() const { return 0; }
  // Computes the scalars of step t = 1, 2, ... once, before apply() is called for its pieces.
  virtual void begin_step(double lr, std::uint64_t t) = 0;
  virtual void apply(const kernels::UpdateKernels<T>& kernels, const Update<T>& update) const = 0;
};

}  // namespace nnext::optim
