// Losses of rows and their gradients.
#include "kernels/parts.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// What one output y with target t adds to a row's loss, and its derivative with respect to y.
struct SquaredError {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t) {
    return (y - t) * (y - t);
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t) {
    return 2 * (y - t);
  }
};

// The limits are those of torch.nn.functional.binary_cross_entropy: logs of at least -100, a divisor of at least 1e-12.
struct BinaryCrossEntropy {
  template <class T>
  static Vec<T> at_least(T low, Vec<T> x) {
    return select<T>(x < low, broadcast(low), x);
  }
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t) {
    return (t - 1) * at_least<T>(-100, log1p<T>(-y)) - t * at_least<T>(-100, log<T>(y));
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t) {
    return (y - t) / at_least<T>(T(1e-12), y * (1 - y));
  }
};

// log(1 + e^y) - t y = log(1 + e^-|y|) + |y| (y > 0 ? 1 - t : t): no term cancels another when 0 <= t <= 1.
struct BinaryCrossEntropyOfLogits {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t) {
    const Vec<T> size = abs<T>(y);
    return fma(size, select<T>(y > 0, 1 - t, t), log1p<T>(exp<T>(-size)));
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t) {
    return sigmoid<T>(y) - t;
  }
};

template <class T, class F>
void mean_of_outputs(size_t m, size_t n, const T* y, const T* t, const T* scale, T* loss, T* dy) {
  for (size_t row = 0; row < m; ++row, y += n, t += n) {
    const T sum = sum_of_row<T>(
        n, [&](size_t i, auto part) { return F::template loss<T>(load(part, y + i), load(part, t + i)); });
    loss[row] = sum / static_cast<T>(n);
    if (dy == nullptr) continue;
    const Vec<T> share = broadcast(scale[row] / static_cast<T>(n));
    for_each_vector<T>(n, [&](size_t i, auto part) {
      store(part, dy + i, share * F::template slope<T>(load(part, y + i), load(part, t + i)));
    });
    dy += n;
  }
}

template <class T>
T log_of(T x) {
  return log<T>(broadcast(x))[0];
}

// With p = softmax(y): -sum t log p = sum of t (log(sum e^(y - max)) - (y - max)), its gradient p sum(t) - t.
template <class T>
void cross_entropy(size_t m, size_t n, const T* y, const T* t, const T* scale, T* loss, T* dy) {
  for (size_t row = 0; row < m; ++row, y += n, t += n) {
    const Vec<T> max = broadcast(max_of_row<T>(n, y));
    const T sum = sum_of_row<T>(n, [&](size_t i, auto part) { return exp<T>(load(part, y + i) - max); });
    const Vec<T> log_sum = broadcast(log_of(sum));
    loss[row] = sum_of_row<T>(
        n, [&](size_t i, auto part) { return load(part, t + i) * (log_sum - (load(part, y + i) - max)); });
    if (dy == nullptr) continue;
    const T targets = sum_of_row<T>(n, [&](size_t i, auto part) { return load(part, t + i); });
    const Vec<T> share = broadcast(targets / sum), row_scale = broadcast(scale[row]);
    for_each_vector<T>(n, [&](size_t i, auto part) {
      store(part, dy + i, row_scale * fma(share, exp<T>(load(part, y + i) - max), -load(part, t + i)));
    });
    dy += n;
  }
}

template <class T>
void cross_entropy_indexed(size_t m, size_t n, const T* y, const std::int32_t* t, const T* scale, T* loss, T* dy) {
  for (size_t row = 0; row < m; ++row, y += n) {
    const T max = max_of_row<T>(n, y), picked = y[t[row]] - max;
    const Vec<T> maxes = broadcast(max);
    const T sum = sum_of_row<T>(n, [&](size_t i, auto part) {
      const Vec<T> e = exp<T>(load(part, y + i) - maxes);
      if (dy != nullptr) store(part, dy + i, e);
      return e;
    });
    loss[row] = log_of(sum) - picked;
    if (dy == nullptr) continue;
    const Vec<T> share = broadcast(scale[row] / sum);
    for_each_vector<T>(n, [&](size_t i, auto part) { store(part, dy + i, share * load(part, dy + i)); });
    dy[t[row]] -= scale[row];
    dy += n;
  }
}

template <class T>
constexpr LossKernels<T> make_loss() {
  return {.mse = mean_of_outputs<T, SquaredError>,
          .bce = mean_of_outputs<T, BinaryCrossEntropy>,
          .bce_with_logits = mean_of_outputs<T, BinaryCrossEntropyOfLogits>,
          .cross_entropy = cross_entropy<T>,
          .cross_entropy_indexed = cross_entropy_indexed<T>};
}

}  // namespace

constinit const LossKernels<float> loss_f32 = make_loss<float>();
constinit const LossKernels<double> loss_f64 = make_loss<double>();

}  // namespace nnext::kernels::NNEXT_ISA
