// Update rules, operation for operation those of PyTorch's optimizers. Weight decay is L2: it joins the gradient.
#include "kernels/parts.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

enum class Memory { none, momentum, nesterov };

// velocity = momentum * velocity + g, zero before the first step; w -= lr * velocity, or with Nesterov
// w -= lr * (g + momentum * velocity). Source: I. Sutskever et al., ICML 2013, in the form of torch.optim.SGD.
template <class T, Memory kMemory>
void sgd_with(size_t n, const SgdStep<T>& step, T* w, const T* g, T* velocity) {
  const Vec<T> minus_lr = broadcast(-step.lr), momentum = broadcast(step.momentum),
               decay = broadcast(step.weight_decay);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    const Vec<T> weight = load(part, w + i);
    Vec<T> move = fma(decay, weight, load(part, g + i));
    if constexpr (kMemory != Memory::none) {
      const Vec<T> speed = fma(momentum, load(part, velocity + i), move);
      store(part, velocity + i, speed);
      move = kMemory == Memory::nesterov ? fma(momentum, speed, move) : speed;
    }
    store(part, w + i, fma(minus_lr, move, weight));
  });
}

template <class T>
void sgd(size_t n, const SgdStep<T>& step, T* w, const T* g, T* velocity) {
  if (velocity == nullptr)
    sgd_with<T, Memory::none>(n, step, w, g, velocity);
  else if (step.nesterov)
    sgd_with<T, Memory::nesterov>(n, step, w, g, velocity);
  else
    sgd_with<T, Memory::momentum>(n, step, w, g, velocity);
}

// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w = move(w, g, m, divisor) with the
// divisor sqrt(v) correction + eps.
template <class T, class Step, class Move>
inline void update_by_moments(size_t n, const Step& step, T* w, const T* g, T* m, T* v, Move move) {
  const Vec<T> beta1 = broadcast(step.beta1), share1 = broadcast(step.one_minus_beta1);
  const Vec<T> beta2 = broadcast(step.beta2), share2 = broadcast(step.one_minus_beta2);
  const Vec<T> correction = broadcast(step.inverse_sqrt_correction);
  const Vec<T> eps = broadcast(step.eps), decay = broadcast(step.weight_decay);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    const Vec<T> weight = load(part, w + i);
    const Vec<T> slope = fma(decay, weight, load(part, g + i));
    const Vec<T> mean = fma(beta1, load(part, m + i), share1 * slope);
    const Vec<T> square = fma(beta2, load(part, v + i), share2 * slope * slope);
    store(part, m + i, mean);
    store(part, v + i, square);
    store(part, w + i, move(weight, slope, mean, fma(sqrt(square), correction, eps)));
  });
}

// w -= step_size m / (sqrt(v) correction + eps). Source: D. P. Kingma and J. Ba, ICLR 2015,
// in the form of torch.optim.Adam.
template <class T>
void adam(size_t n, const AdamStep<T>& step, T* w, const T* g, T* m, T* v) {
  update_by_moments<T>(n, step, w, g, m, v,
                       [size = broadcast(-step.step_size)](Vec<T> weight, Vec<T>, Vec<T> mean, Vec<T> divisor) {
                         return fma(size, mean / divisor, weight);
                       });
}

// w -= (gradient_size g + momentum_size m) / (sqrt(v) correction + eps). Source: T. Dozat, ICLR workshop 2016, in the
// form of torch.optim.NAdam.
template <class T>
void nadam(size_t n, const NAdamStep<T>& step, T* w, const T* g, T* m, T* v) {
  const Vec<T> of_slope = broadcast(step.gradient_size), of_mean = broadcast(step.momentum_size);
  update_by_moments<T>(n, step, w, g, m, v, [=](Vec<T> weight, Vec<T> slope, Vec<T> mean, Vec<T> divisor) {
    return weight - fma(of_slope, slope, of_mean * mean) / divisor;
  });
}

// sum += g^2; w -= lr g / (sqrt(sum) + eps). Source: J. Duchi et al., JMLR 12 (2011), in the form of
// torch.optim.Adagrad.
template <class T>
void adagrad(size_t n, const AdagradStep<T>& step, T* w, const T* g, T* sum) {
  const Vec<T> minus_lr = broadcast(-step.lr), eps = broadcast(step.eps), decay = broadcast(step.weight_decay);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    const Vec<T> weight = load(part, w + i);
    const Vec<T> slope = fma(decay, weight, load(part, g + i));
    const Vec<T> total = fma(slope, slope, load(part, sum + i));
    store(part, sum + i, total);
    store(part, w + i, fma(minus_lr, slope / (sqrt(total) + eps), weight));
  });
}

template <class T>
constexpr UpdateKernels<T> make_update() {
  return {.sgd = sgd<T>, .adam = adam<T>, .nadam = nadam<T>, .adagrad = adagrad<T>};
}

}  // namespace

constinit const UpdateKernels<float> update_f32 = make_update<float>();
constinit const UpdateKernels<double> update_f64 = make_update<double>();

}  // namespace nnext::kernels::NNEXT_ISA
