// Kernels of the update rules, and what they are told of a step.
#pragma once

#include <cstddef>

namespace nnext::kernels {

// One step's scalars of an update rule, computed once per step in double.
template <class T>
struct SgdStep {
  T lr, momentum, weight_decay;
  bool nesterov;
};
template <class T>
struct AdamStep {
  T step_size;  // lr / (1 - beta1^t)
  T beta1, beta2, one_minus_beta1, one_minus_beta2;
  T inverse_sqrt_correction;  // 1 / sqrt(1 - beta2^t)
  T eps, weight_decay;
};
template <class T>
struct NAdamStep {
  T gradient_size;  // lr (1 - mu_t) / (1 - product of mu_1 to mu_t)
  T momentum_size;  // lr mu_(t + 1) / (1 - product of mu_1 to mu_(t + 1))
  T beta1, beta2, one_minus_beta1, one_minus_beta2;
  T inverse_sqrt_correction;  // 1 / sqrt(1 - beta2^t)
  T eps, weight_decay;
};
template <class T>
struct AdagradStep {
  T lr, eps, weight_decay;
};

// Update rules on n parameters w with gradient g.
template <class T>
struct UpdateKernels {
  void (*sgd)(std::size_t n, const SgdStep<T>&, T* w, const T* g, T* velocity);  // velocity null: without momentum
  void (*adam)(std::size_t n, const AdamStep<T>&, T* w, const T* g, T* m, T* v);
  void (*nadam)(std::size_t n, const NAdamStep<T>&, T* w, const T* g, T* m, T* v);
  void (*adagrad)(std::size_t n, const AdagradStep<T>&, T* w, const T* g, T* sum);
};

}  // namespace nnext::kernels
