// Kernels of the update rules, and each rule's scalars of a step, computed once a step in double.
#pragma once

#include <cstddef>

namespace nnext::kernels {

template <class T>
struct SgdStep {
  T lr, momentum, weight_decay;
  T share;  // of the gradient in the velocity: 1 - dampening, but 1 in the first step
  bool nesterov;
};
// How the kernel of a gradient applies it to `values` instead of writing it. Without a step it does not.
template <class T>
struct InPlace {
  const SgdStep<T>* step = nullptr;
  T* values = nullptr;
};
// Running means of g and g^2, and what becomes of w beside.
template <class T>
struct MomentsStep {
  T beta1, beta2, one_minus_beta1, one_minus_beta2;
  T inverse_sqrt_correction;  // of the divisor sqrt(v) correction + eps: 1 / sqrt(1 - beta2^t)
  T eps;
  T weight_decay;  // joins the gradient; 0 where decay is decoupled
  T keep;          // what decoupled decay leaves of w: 1 - lr weight_decay; else 1
};
template <class T>
struct AdamStep {
  MomentsStep<T> moments;
  T step_size;  // lr / (1 - beta1^t)
};
template <class T>
struct NAdamStep {
  MomentsStep<T> moments;
  T gradient_size;  // lr (1 - mu_t) / (1 - product of mu_1 to mu_t)
  T momentum_size;  // lr mu_(t + 1) / (1 - product of mu_1 to mu_(t + 1))
};
template <class T>
struct AdagradStep {
  T lr, eps, weight_decay;
};
template <class T>
struct RmsPropStep {
  T lr, alpha, one_minus_alpha, eps, momentum, weight_decay;
};
template <class T>
struct AdadeltaStep {
  T lr, rho, one_minus_rho, eps, weight_decay;
};
template <class T>
struct LionStep {
  T lr, beta1, beta2, one_minus_beta1, one_minus_beta2;
  T keep;  // 1 - lr weight_decay
};
template <class T>
struct RpropStep {
  T shrink, grow, smallest, largest, weight_decay;
  T start;  // what all steps are before the first one
  bool first;
};

// The gradient of `cols` columns of `rows` rows of a matrix, `width` apart: dw[i, j] = x[i] dy[j], as of a layer that saw
// one row.
template <class T>
struct OuterGradient {
  std::size_t rows, cols, width;
  const T *x, *dy;
};
// The row that such a layer sees next: y[j] = init[j] + sum over i of x[i] w[i, j] with the changed w, in multiply_row's
// order. Without x there is none, without init it is 0.
template <class T>
struct NextRow {
  const T *x = nullptr, *init = nullptr;
  T* y = nullptr;
};

// On n parameters w with gradient g; what a rule remembers beside is null where the rule goes without.
template <class T>
struct UpdateKernels {
  // Before a rule's own: g = g within [-limit, limit], + l1 sign(w), with sign(0) = 0.
  void (*prepare)(std::size_t n, T limit, T l1, const T* w, T* g);
  void (*sgd)(std::size_t n, const SgdStep<T>&, T* w, const T* g, T* velocity);
  // The same without a velocity and without that the gradient is written. w is read once for the next row as well.
  void (*sgd_outer)(const OuterGradient<T>&, const SgdStep<T>&, const NextRow<T>& next, T* w);
  void (*adam)(std::size_t n, const AdamStep<T>&, T* w, const T* g, T* m, T* v, T* largest_v);
  void (*nadam)(std::size_t n, const NAdamStep<T>&, T* w, const T* g, T* m, T* v);
  void (*adagrad)(std::size_t n, const AdagradStep<T>&, T* w, const T* g, T* sum);
  void (*rmsprop)(std::size_t n, const RmsPropStep<T>&, T* w, const T* g, T* square, T* velocity, T* mean);
  void (*adadelta)(std::size_t n, const AdadeltaStep<T>&, T* w, const T* g, T* square, T* moves);
  void (*lion)(std::size_t n, const LionStep<T>&, T* w, const T* g, T* m);
  void (*rprop)(std::size_t n, const RpropStep<T>&, T* w, const T* g, T* before, T* size);
};

}  // namespace nnext::kernels
