// The ReLU with a slope that is learned, and its gradients. At 0 they are those of the negative side, as PyTorch has it.
// K. He, X. Zhang, S. Ren and J. Sun, ICCV 2015.
#include "kernels/parts.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/over_rows.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T>
void forward(size_t m, size_t n, bool shared, const T* weight, const T* x, T* y) {
  const auto apply = [&](size_t i, auto part, Vec<T> slope) {
    const Vec<T> from = load(part, x + i);
    store(part, y + i, select<T>(from > 0, from, slope * from));
  };
  if (shared)
    return for_each_vector<T>(m * n, [&, slope = broadcast(*weight)](size_t i, auto part) { apply(i, part, slope); });
  for (size_t at = 0; at < m * n; at += n)
    for_each_vector<T>(n, [&](size_t j, auto part) { apply(at + j, part, load(part, weight + j)); });
}

// Of one sample.
template <class T>
void backward_by_channels(size_t m, size_t n, const T* weight, const T* x, const T* dy, T* dx, T* sums) {
  sum_over_rows<T, Vec<T>, 4>(
      m, n,
      [&](Vec<T>& sum, size_t i, size_t j, auto part) {
        const size_t at = i * n + j;
        const Vec<T> from = load(part, x + at), slope = load(part, dy + at);
        const Int<T> passes = from > 0;
        store(part, dx + at, select<T>(passes, slope, load(part, weight + j) * slope));
        sum = select<T>(passes, sum, fma(slope, from, sum));
      },
      [&](Vec<T> sum, size_t j, auto part) { store(part, sums + j, sum); });
}
template <class T>
T backward_of_all(size_t n, T weight, const T* x, const T* dy, T* dx) {
  return sum_of_row<T>(n, [&, weights = broadcast(weight)](size_t i, auto part) {
    const Vec<T> from = load(part, x + i), slope = load(part, dy + i);
    const Int<T> passes = from > 0;
    store(part, dx + i, select<T>(passes, slope, weights * slope));
    return select<T>(passes, Vec<T>{}, slope * from);
  });
}

template <class T>
void backward(size_t samples, size_t m, size_t n, bool shared, const T* weight, const T* x, const T* dy, T* dx,
              T* sums) {
  for (; samples > 0; --samples, x += m * n, dy += m * n, dx += m * n, sums += shared ? 1 : n)
    if (shared)
      *sums = backward_of_all(m * n, *weight, x, dy, dx);
    else
      backward_by_channels(m, n, weight, x, dy, dx, sums);
}

template <class T>
constexpr PReLUKernels<T> make_prelu() {
  return {.forward = forward<T>, .backward = backward<T>};
}

}  // namespace

constinit const PReLUKernels<float> prelu_f32 = make_prelu<float>();
constinit const PReLUKernels<double> prelu_f64 = make_prelu<double>();

}  // namespace nnext::kernels::NNEXT_ISA
