// What layer normalization is made of: rows brought to mean 0 and variance 1, and the way back.
// J. L. Ba, J. R. Kiros and G. E. Hinton, arXiv:1607.06450 (2016). And the same without the mean, rms_norm: B. Zhang and
// R. Sennrich, NeurIPS 2019.
#include "kernels/parts.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/over_rows.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// In two passes: E[x^2] - E[x]^2 would cancel where a row's mean is large.
template <class T, bool kCentred>
void forward(size_t m, size_t n, T eps, const T* x, const T* weight, const T* bias, T* moments, T* y) {
  for (; m > 0; --m, x += n, y += n, moments += 2) {
    T mean = 0;
    if constexpr (kCentred)
      mean = sum_of_row<T>(n, [&](size_t j, auto part) { return load(part, x + j); }) / static_cast<T>(n);
    const Vec<T> centre = broadcast(mean);
    const T squares = sum_of_row<T>(n, [&](size_t j, auto part) {
      const Vec<T> distance = load(part, x + j) - centre;
      return distance * distance;
    });
    const Vec<T> scale = 1 / sqrt(broadcast(squares / static_cast<T>(n) + eps));
    moments[0] = mean, moments[1] = scale[0];
    for_each_vector<T>(n, [&](size_t j, auto part) {
      const Vec<T> xhat = (load(part, x + j) - centre) * scale;
      const Vec<T> shift = bias == nullptr ? Vec<T>{} : load(part, bias + j);
      store(part, y + j, weight == nullptr ? xhat : fma(xhat, load(part, weight + j), shift));
    });
  }
}

template <class T, bool kCentred>
void backward(size_t m, size_t n, const T* x, const T* moments, const T* weight, const T* dy, T* dx) {
  for (; m > 0; --m, x += n, dy += n, dx += n, moments += 2) {
    const Vec<T> mean = broadcast(moments[0]), inverse = broadcast(moments[1]);
    const auto slope = [&](size_t j, auto part) {
      const Vec<T> given = load(part, dy + j);
      return weight == nullptr ? given : given * load(part, weight + j);
    };
    const auto xhat = [&](size_t j, auto part) { return (load(part, x + j) - mean) * inverse; };
    const T sum = kCentred ? sum_of_row<T>(n, slope) : T(0);
    const T dot = sum_of_row<T>(n, [&](size_t j, auto part) { return slope(j, part) * xhat(j, part); });
    const Vec<T> c0 = broadcast(sum / static_cast<T>(n)), c1 = broadcast(dot / static_cast<T>(n));
    for_each_vector<T>(
        n, [&](size_t j, auto part) { store(part, dx + j, inverse * fma(-xhat(j, part), c1, slope(j, part) - c0)); });
  }
}

template <class T>
void weight_sums(size_t m, size_t n, size_t cols, const T* x, const T* moments, const T* dy, T* sum) {
  sum_over_rows<T, Vec<T>, 4>(
      m, cols,
      [&](Vec<T>& total, size_t i, size_t j, auto part) {
        const Vec<T> slope = load(part, dy + i * n + j);
        if (x == nullptr) {
          total += slope;
          return;
        }
        const Vec<T> distance = load(part, x + i * n + j) - broadcast(moments[2 * i]);
        total = fma(slope, distance * broadcast(moments[2 * i + 1]), total);
      },
      [&](Vec<T> total, size_t j, auto part) { store(part, sum + j, total); },
      [&](size_t j, auto part) { return load(part, sum + j); });
}

template <class T, bool kCentred>
constexpr RowNormKernels<T> make_row_norm() {
  return {.forward = forward<T, kCentred>, .backward = backward<T, kCentred>, .weight_sums = weight_sums<T>};
}

}  // namespace

constinit const RowNormKernels<float> row_norm_f32 = make_row_norm<float, true>();
constinit const RowNormKernels<double> row_norm_f64 = make_row_norm<double, true>();
constinit const RowNormKernels<float> rms_norm_f32 = make_row_norm<float, false>();
constinit const RowNormKernels<double> rms_norm_f64 = make_row_norm<double, false>();

}  // namespace nnext::kernels::NNEXT_ISA
