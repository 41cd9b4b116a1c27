// Update rules, operation for operation those of PyTorch's optimizers. Weight decay is L2: it joins the gradient, unless
// it is decoupled and takes a share of w.
#include "kernels/parts.h"
#include "kernels/plain_sgd.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// 1 or -1; 0 and NaN stay what they are.
template <class T>
inline Vec<T> sign(Vec<T> x) {
  const Vec<T> zero{}, one = broadcast(T(1));
  return select<T>(x > zero, one, select<T>(x < zero, -one, x));
}

// NaN stays NaN.
template <class T>
inline Vec<T> within(Vec<T> x, Vec<T> low, Vec<T> high) {
  return select<T>(x > high, high, select<T>(x < low, low, x));
}

template <class T>
void prepare(size_t n, T limit, T l1, const T* w, T* g) {
  const Vec<T> high = broadcast(limit), pull = broadcast(l1);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    store(part, g + i, fma(pull, sign<T>(load(part, w + i)), within<T>(load(part, g + i), -high, high)));
  });
}

enum class Memory { none, momentum, dampened, nesterov };

// velocity = momentum * velocity + share * g, zero before the first step; w -= lr * velocity, or with Nesterov
// w -= lr * (g + momentum * velocity). Source: I. Sutskever et al., ICML 2013, in the form of torch.optim.SGD.
template <class T, Memory kMemory>
void sgd_with(size_t n, const SgdStep<T>& step, T* w, const T* g, T* velocity) {
  const Vec<T> minus_lr = broadcast(-step.lr), momentum = broadcast(step.momentum),
               decay = broadcast(step.weight_decay), share = broadcast(step.share);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    const Vec<T> weight = load(part, w + i);
    Vec<T> move = fma(decay, weight, load(part, g + i));
    if constexpr (kMemory != Memory::none) {
      const Vec<T> added = kMemory == Memory::dampened ? share * move : move;
      const Vec<T> speed = fma(momentum, load(part, velocity + i), added);
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
  else if (step.share != 1)
    sgd_with<T, Memory::dampened>(n, step, w, g, velocity);
  else
    sgd_with<T, Memory::momentum>(n, step, w, g, velocity);
}

// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w = move(keep w, g, m, divisor) with the divisor
// sqrt(v) correction + eps, or that of the largest v so far.
template <class T, bool kKeeps, bool kLargest, class Move>
inline void update_by_moments_of(size_t n, const MomentsStep<T>& step, T* w, const T* g, T* m, T* v, T* largest_v,
                                 Move move) {
  const Vec<T> beta1 = broadcast(step.beta1), share1 = broadcast(step.one_minus_beta1);
  const Vec<T> beta2 = broadcast(step.beta2), share2 = broadcast(step.one_minus_beta2);
  const Vec<T> correction = broadcast(step.inverse_sqrt_correction);
  const Vec<T> eps = broadcast(step.eps), decay = broadcast(step.weight_decay), keep = broadcast(step.keep);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    Vec<T> weight = load(part, w + i);
    const Vec<T> slope = fma(decay, weight, load(part, g + i));
    const Vec<T> mean = fma(beta1, load(part, m + i), share1 * slope);
    Vec<T> square = fma(beta2, load(part, v + i), share2 * slope * slope);
    store(part, m + i, mean);
    store(part, v + i, square);
    if constexpr (kLargest) {
      const Vec<T> largest = load(part, largest_v + i);
      square = select<T>(square < largest, largest, square);  // NaN stays NaN
      store(part, largest_v + i, square);
    }
    if constexpr (kKeeps) weight = keep * weight;
    store(part, w + i, move(weight, slope, mean, fma(sqrt(square), correction, eps)));
  });
}

template <class T, bool kLargest, class Move>
inline void update_by_moments(size_t n, const MomentsStep<T>& step, T* w, const T* g, T* m, T* v, T* largest_v,
                              Move move) {
  if (step.keep == 1)
    update_by_moments_of<T, false, kLargest>(n, step, w, g, m, v, largest_v, move);
  else
    update_by_moments_of<T, true, kLargest>(n, step, w, g, m, v, largest_v, move);
}

// w -= step_size m / (sqrt(v) correction + eps). Source: D. P. Kingma and J. Ba, ICLR 2015, with the largest v that of
// S. J. Reddi et al., ICLR 2018, in the form of torch.optim.Adam.
template <class T>
void adam(size_t n, const AdamStep<T>& step, T* w, const T* g, T* m, T* v, T* largest_v) {
  const auto move = [size = broadcast(-step.step_size)](Vec<T> weight, Vec<T>, Vec<T> mean, Vec<T> divisor) {
    return fma(size, mean / divisor, weight);
  };
  if (largest_v == nullptr)
    update_by_moments<T, false>(n, step.moments, w, g, m, v, largest_v, move);
  else
    update_by_moments<T, true>(n, step.moments, w, g, m, v, largest_v, move);
}

// w -= (gradient_size g + momentum_size m) / (sqrt(v) correction + eps). Source: T. Dozat, ICLR workshop 2016, in the
// form of torch.optim.NAdam.
template <class T>
void nadam(size_t n, const NAdamStep<T>& step, T* w, const T* g, T* m, T* v) {
  const Vec<T> of_slope = broadcast(step.gradient_size), of_mean = broadcast(step.momentum_size);
  update_by_moments<T, false>(n, step.moments, w, g, m, v, nullptr,
                              [=](Vec<T> weight, Vec<T> slope, Vec<T> mean, Vec<T> divisor) {
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

// square = alpha square + (1 - alpha) g^2, and so the mean of g; move = g / (sqrt(square - mean^2) + eps);
// velocity = momentum velocity + move; w -= lr velocity. Without mean or velocity what they add is left out. Rounding
// makes the variance of a gradient that stays as it is less than 0. Source: T. Tieleman and G. Hinton, lecture 6.5 of
// "Neural networks for machine learning", 2012; centered, A. Graves, arXiv:1308.0850; in the form of
// torch.optim.RMSprop.
template <class T, bool kMomentum, bool kCentered>
void rmsprop_with(size_t n, const RmsPropStep<T>& step, T* w, const T* g, T* square, T* velocity, T* mean) {
  const Vec<T> minus_lr = broadcast(-step.lr), eps = broadcast(step.eps), decay = broadcast(step.weight_decay);
  const Vec<T> alpha = broadcast(step.alpha), share = broadcast(step.one_minus_alpha);
  const Vec<T> momentum = broadcast(step.momentum), zero{};
  for_each_vector<T>(n, [&](size_t i, auto part) {
    const Vec<T> weight = load(part, w + i);
    const Vec<T> slope = fma(decay, weight, load(part, g + i));
    Vec<T> spread = fma(alpha, load(part, square + i), share * slope * slope);
    store(part, square + i, spread);
    if constexpr (kCentered) {
      const Vec<T> center = fma(alpha, load(part, mean + i), share * slope);
      store(part, mean + i, center);
      spread = fma(-center, center, spread);
      spread = select<T>(spread < zero, zero, spread);  // NaN stays NaN
    }
    Vec<T> move = slope / (sqrt(spread) + eps);
    if constexpr (kMomentum) {
      move = fma(momentum, load(part, velocity + i), move);
      store(part, velocity + i, move);
    }
    store(part, w + i, fma(minus_lr, move, weight));
  });
}

template <class T>
void rmsprop(size_t n, const RmsPropStep<T>& step, T* w, const T* g, T* square, T* velocity, T* mean) {
  if (mean == nullptr)
    velocity == nullptr ? rmsprop_with<T, false, false>(n, step, w, g, square, velocity, mean)
                        : rmsprop_with<T, true, false>(n, step, w, g, square, velocity, mean);
  else
    velocity == nullptr ? rmsprop_with<T, false, true>(n, step, w, g, square, velocity, mean)
                        : rmsprop_with<T, true, true>(n, step, w, g, square, velocity, mean);
}

// square = rho square + (1 - rho) g^2; move = sqrt(moves + eps) / sqrt(square + eps) g; moves = rho moves +
// (1 - rho) move^2; w -= lr move. Source: M. D. Zeiler, arXiv:1212.5701, in the form of torch.optim.Adadelta.
template <class T>
void adadelta(size_t n, const AdadeltaStep<T>& step, T* w, const T* g, T* square, T* moves) {
  const Vec<T> minus_lr = broadcast(-step.lr), eps = broadcast(step.eps), decay = broadcast(step.weight_decay);
  const Vec<T> rho = broadcast(step.rho), share = broadcast(step.one_minus_rho);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    const Vec<T> weight = load(part, w + i);
    const Vec<T> slope = fma(decay, weight, load(part, g + i));
    const Vec<T> spread = fma(rho, load(part, square + i), share * slope * slope), far = load(part, moves + i);
    const Vec<T> move = sqrt(far + eps) / sqrt(spread + eps) * slope;
    store(part, square + i, spread);
    store(part, moves + i, fma(rho, far, share * move * move));
    store(part, w + i, fma(minus_lr, move, weight));
  });
}

// w = keep w - lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g. Source: X. Chen et al., NeurIPS 2023.
template <class T>
void lion(size_t n, const LionStep<T>& step, T* w, const T* g, T* m) {
  const Vec<T> minus_lr = broadcast(-step.lr), keep = broadcast(step.keep);
  const Vec<T> beta1 = broadcast(step.beta1), share1 = broadcast(step.one_minus_beta1);
  const Vec<T> beta2 = broadcast(step.beta2), share2 = broadcast(step.one_minus_beta2);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    const Vec<T> slope = load(part, g + i), mean = load(part, m + i);
    store(part, w + i, fma(minus_lr, sign<T>(fma(beta1, mean, share1 * slope)), keep * load(part, w + i)));
    store(part, m + i, fma(beta2, mean, share2 * slope));
  });
}

// A step that goes on in its direction grows, one that turns shrinks and is left out once; w -= sign(g) size. Source:
// M. Riedmiller and H. Braun, ICNN 1993, in the form of torch.optim.Rprop, which is iRprop- of C. Igel and M. Huesken.
template <class T>
void rprop(size_t n, const RpropStep<T>& step, T* w, const T* g, T* before, T* size) {
  const Vec<T> shrink = broadcast(step.shrink), grow = broadcast(step.grow), decay = broadcast(step.weight_decay);
  const Vec<T> smallest = broadcast(step.smallest), largest = broadcast(step.largest), start = broadcast(step.start);
  const Vec<T> zero{}, one = broadcast(T(1));
  for_each_vector<T>(n, [&](size_t i, auto part) {
    const Vec<T> weight = load(part, w + i);
    Vec<T> slope = fma(decay, weight, load(part, g + i));
    const Vec<T> turn = slope * load(part, before + i);
    const Vec<T> factor =
        select<T>(turn > zero, grow, select<T>(turn < zero, shrink, select<T>(turn == zero, one, turn)));
    const Vec<T> length = within<T>((step.first ? start : load(part, size + i)) * factor, smallest, largest);
    slope = select<T>(turn < zero, zero, slope);
    store(part, before + i, slope);
    store(part, size + i, length);
    store(part, w + i, fma(-sign<T>(slope), length, weight));
  });
}

template <class T>
constexpr UpdateKernels<T> make_update() {
  return {.prepare = prepare<T>,
          .sgd = sgd<T>,
          .sgd_outer = sgd_outer<T>,
          .adam = adam<T>,
          .nadam = nadam<T>,
          .adagrad = adagrad<T>,
          .rmsprop = rmsprop<T>,
          .adadelta = adadelta<T>,
          .lion = lion<T>,
          .rprop = rprop<T>};
}

}  // namespace

constinit const UpdateKernels<float> update_f32 = make_update<float>();
constinit const UpdateKernels<double> update_f64 = make_update<double>();

}  // namespace nnext::kernels::NNEXT_ISA
