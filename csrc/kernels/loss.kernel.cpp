// Losses of rows and their gradients.
#include "kernels/cross_entropy.h"
#include "kernels/parts.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// What one output y with target t adds to a row's loss, and its derivative with respect to y;
// the third is the loss's argument.
struct SquaredError {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, Vec<T>) {
    return (y - t) * (y - t);
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, Vec<T>) {
    return 2 * (y - t);
  }
};

// d^2 / 2 up to |d| = delta, from there on its tangent. P. J. Huber, Annals of Mathematical Statistics 35 (1964).
struct Huber {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, Vec<T> delta) {
    const Vec<T> size = abs<T>(y - t), near = select<T>(size > delta, delta, size);
    return near * fma(broadcast(T(-0.5)), near, size);
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, Vec<T> delta) {
    const Vec<T> distance = y - t, near = select<T>(distance > delta, delta, distance);
    return select<T>(near < -delta, -delta, near);
  }
};

// The limits are those of torch.nn.functional.binary_cross_entropy: logs of at least -100, a divisor of at least 1e-12.
struct BinaryCrossEntropy {
  template <class T>
  static Vec<T> at_least(T low, Vec<T> x) {
    return select<T>(x < low, broadcast(low), x);
  }
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, Vec<T>) {
    return (t - 1) * at_least<T>(-100, log1p<T>(-y)) - t * at_least<T>(-100, log<T>(y));
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, Vec<T>) {
    return (y - t) / at_least<T>(T(1e-12), y * (1 - y));
  }
};

// log(1 + e^y) - t y = log(1 + e^-|y|) + |y| (y > 0 ? 1 - t : t): no term cancels another when 0 <= t <= 1.
struct BinaryCrossEntropyOfLogits {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, Vec<T>) {
    const Vec<T> size = abs<T>(y);
    return fma(size, select<T>(y > 0, 1 - t, t), log1p<T>(exp<T>(-size)));
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, Vec<T>) {
    return sigmoid<T>(y) - t;
  }
};

// Rows of one output: the lanes run over the rows.
template <class T, class F>
void single_outputs(size_t m, T argument, const T* y, const T* t, const T* scale, T* loss, T* dy) {
  const Vec<T> arguments = broadcast(argument);
  for_each_vector<T>(m, [&](size_t i, auto part) {
    const Vec<T> output = load(part, y + i), target = load(part, t + i);
    store(part, loss + i, F::template loss<T>(output, target, arguments));
    if (dy != nullptr) store(part, dy + i, load(part, scale + i) * F::template slope<T>(output, target, arguments));
  });
}

template <class T, class F>
void mean_of_outputs(size_t m, size_t n, T argument, const T* y, const T* t, const T* scale, T* loss, T* dy) {
  if (n == 1) return single_outputs<T, F>(m, argument, y, t, scale, loss, dy);
  const Vec<T> arguments = broadcast(argument);
  for (size_t i = 0; i < m * n; i += n) {
    const Vec<T> share = broadcast(dy == nullptr ? T(0) : *scale++ / static_cast<T>(n));
    const T sum = sum_of_row<T>(n, [&](size_t j, auto part) {
      const Vec<T> output = load(part, y + i + j), target = load(part, t + i + j);
      const Vec<T> term = F::template loss<T>(output, target, arguments);
      if (dy != nullptr) store(part, dy + i + j, share * F::template slope<T>(output, target, arguments));
      return term;
    });
    *loss++ = sum / static_cast<T>(n);
  }
}

template <class T>
constexpr LossKernel<T> kLosses[] = {
    // mean over the row of (y - t)^2
    {.name = "mse", .dense = mean_of_outputs<T, SquaredError>, .indexed = nullptr},
    // mean over the row of -(t log y + (1 - t) log(1 - y)), each log at least -100
    {.name = "bce", .dense = mean_of_outputs<T, BinaryCrossEntropy>, .indexed = nullptr},
    // the same of sigmoid(y), stable
    {.name = "bce_with_logits", .dense = mean_of_outputs<T, BinaryCrossEntropyOfLogits>, .indexed = nullptr},
    // mean over the row of (y - t)^2 / 2 where |y - t| <= argument, else argument * (|y - t| - argument / 2)
    {.name = "huber", .dense = mean_of_outputs<T, Huber>, .indexed = nullptr},
    // -sum of t log softmax(y), or -log softmax(y)[t]
    {.name = "cross_entropy", .dense = cross_entropy_dense<T>, .indexed = cross_entropy_indexed<T>},
};

template <class T>
constexpr LossKernels<T> make_loss() {
  return {.losses = kLosses<T>, .loss_count = sizeof kLosses<T> / sizeof kLosses<T>[0]};
}

}  // namespace

constinit const LossKernels<float> loss_f32 = make_loss<float>();
constinit const LossKernels<double> loss_f64 = make_loss<double>();

}  // namespace nnext::kernels::NNEXT_ISA
