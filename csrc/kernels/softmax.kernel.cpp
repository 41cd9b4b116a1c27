// Softmax of rows, e^(x - max) / sum of them, and its gradient.
#include "kernels/parts.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T>
void forward(size_t m, size_t n, const T* x, T* y) {
  for (size_t row = 0; row < m; ++row, x += n, y += n) {
    const Vec<T> max = broadcast(max_of_row<T>(n, x));
    const T sum = sum_of_row<T>(n, [&](size_t i, auto part) {
      const Vec<T> e = exp<T>(load(part, x + i) - max);
      store(part, y + i, e);
      return e;
    });
    const Vec<T> scale = broadcast(1 / sum);
    for_each_vector<T>(n, [&](size_t i, auto part) { store(part, y + i, load(part, y + i) * scale); });
  }
}

template <class T>
void backward(size_t m, size_t n, const T* y, const T* dy, T* dx) {
  for (size_t row = 0; row < m; ++row, y += n, dy += n, dx += n) {
    const Vec<T> sum =
        broadcast(sum_of_row<T>(n, [&](size_t i, auto part) { return load(part, y + i) * load(part, dy + i); }));
    for_each_vector<T>(
        n, [&](size_t i, auto part) { store(part, dx + i, load(part, y + i) * (load(part, dy + i) - sum)); });
  }
}

template <class T>
constexpr SoftmaxKernels<T> make_softmax() {
  return {.forward = forward<T>, .backward = backward<T>};
}

}  // namespace

constinit const SoftmaxKernels<float> softmax_f32 = make_softmax<float>();
constinit const SoftmaxKernels<double> softmax_f64 = make_softmax<double>();

}  // namespace nnext::kernels::NNEXT_ISA
