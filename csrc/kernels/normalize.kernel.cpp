// What batch normalisation is made of: moments of columns over rows, rows normalised by them, and the way back.
// S. Ioffe and C. Szegedy, ICML 2015.
#include "kernels/parts.h"
#include "kernels/simd/over_rows.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// In two passes: E[x^2] - E[x]^2 would cancel where a column's mean is large.
template <class T>
void moments(size_t m, size_t n, const T* x, ptrdiff_t x_row, T* mean, T* squares) {
  const auto row = [&](size_t i) { return x + static_cast<ptrdiff_t>(i) * x_row; };
  const Vec<T> rows = broadcast(static_cast<T>(m));
  sum_over_rows<T, Vec<T>, 8>(
      m, n, [&](Vec<T>& sum, size_t i, size_t j, auto part) { sum += load(part, row(i) + j); },
      [&](Vec<T> sum, size_t j, auto part) { store(part, mean + j, sum / rows); });
  sum_over_rows<T, Vec<T>, 8>(
      m, n,
      [&](Vec<T>& sum, size_t i, size_t j, auto part) {
        const Vec<T> distance = load(part, row(i) + j) - load(part, mean + j);
        sum = fma(distance, distance, sum);
      },
      [&](Vec<T> sum, size_t j, auto part) { store(part, squares + j, sum); });
}

template <class T>
void forward(size_t m, size_t n, const T* x, ptrdiff_t x_row, const T* mean, const T* scale, const T* shift, T* y,
             ptrdiff_t y_row) {
  for (; m > 0; --m, x += x_row, y += y_row)
    for_each_vector<T>(n, [&](size_t j, auto part) {
      store(part, y + j, fma(load(part, x + j) - load(part, mean + j), load(part, scale + j), load(part, shift + j)));
    });
}

template <class T>
struct GradientSums {
  Vec<T> sum, dot;
};
template <class T>
void backward_sums(size_t m, size_t n, const T* dy, ptrdiff_t dy_row, const T* x, ptrdiff_t x_row, const T* mean,
                   T* sum, T* dot) {
  sum_over_rows<T, GradientSums<T>, 4>(
      m, n,
      [&](GradientSums<T>& sums, size_t i, size_t j, auto part) {
        const Vec<T> slope = load(part, dy + static_cast<ptrdiff_t>(i) * dy_row + j);
        sums.sum += slope;
        sums.dot = fma(slope, load(part, x + static_cast<ptrdiff_t>(i) * x_row + j) - load(part, mean + j), sums.dot);
      },
      [&](const GradientSums<T>& sums, size_t j, auto part) {
        store(part, sum + j, sums.sum);
        store(part, dot + j, sums.dot);
      });
}

template <class T>
void backward(size_t m, size_t n, const T* dy, ptrdiff_t dy_row, const T* x, ptrdiff_t x_row, const T* mean,
              const T* scale, const T* c0, const T* c1, T* dx, ptrdiff_t dx_row) {
  for (; m > 0; --m, dy += dy_row, x += x_row, dx += dx_row)
    for_each_vector<T>(n, [&](size_t j, auto part) {
      const Vec<T> distance = load(part, mean + j) - load(part, x + j);
      const Vec<T> slope = load(part, dy + j) - load(part, c0 + j);
      store(part, dx + j, load(part, scale + j) * fma(distance, load(part, c1 + j), slope));
    });
}

template <class T>
constexpr NormalizeKernels<T> make_normalize() {
  return {.moments = moments<T>, .forward = forward<T>, .backward_sums = backward_sums<T>, .backward = backward<T>};
}

}  // namespace

constinit const NormalizeKernels<float> normalize_f32 = make_normalize<float>();
constinit const NormalizeKernels<double> normalize_f64 = make_normalize<double>();

}  // namespace nnext::kernels::NNEXT_ISA
