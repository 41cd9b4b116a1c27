// The logarithm of the softmax of rows, x - max - log(sum of e^(x - max)), and its gradient.
#include "kernels/parts.h"
#include "kernels/simd/lanes.h"
#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T>
void forward(size_t m, size_t n, const T* x, T* y) {
  for (; m > 0; --m, x += n, y += n) {
    const Vec<T> max = broadcast(max_of_row<T>(n, x));
    const T sum = sum_of_row<T>(n, [&](size_t i, auto part) { return exp<T>(load(part, x + i) - max); });
    const Vec<T> log_sum = log<T>(broadcast(sum));
    for_each_vector<T>(n, [&](size_t i, auto part) { store(part, y + i, (load(part, x + i) - max) - log_sum); });
  }
}

template <class T>
void backward(size_t m, size_t n, const T* y, const T* dy, T* dx) {
  for (; m > 0; --m, y += n, dy += n, dx += n) {
    const Vec<T> sum = broadcast(sum_of_row<T>(n, [&](size_t i, auto part) { return load(part, dy + i); }));
    for_each_vector<T>(
        n, [&](size_t i, auto part) { store(part, dx + i, fma(-exp<T>(load(part, y + i)), sum, load(part, dy + i))); });
  }
}

template <class T>
constexpr SoftmaxKernels<T> make_log_softmax() {
  return {.forward = forward<T>, .backward = backward<T>};
}

}  // namespace

constinit const SoftmaxKernels<float> log_softmax_f32 = make_log_softmax<float>();
constinit const SoftmaxKernels<double> log_softmax_f64 = make_log_softmax<double>();

}  // namespace nnext::kernels::NNEXT_ISA
