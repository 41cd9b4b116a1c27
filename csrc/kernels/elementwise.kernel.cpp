// Element-wise functions: the loops over the activations of activations/, a row of kActivations each, and over others.
//
// Most gradients are told from the output y: relu and leaky_relu keep its sign, tanh' = (1 - y) (1 + y), sigmoid' = y (1
// - y), elu' = y + alpha.
#include "kernels/activations/bounded.h"
#include "kernels/activations/gelu.h"
#include "kernels/activations/piecewise.h"
#include "kernels/activations/smooth.h"
#include "kernels/parts.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T, class F>
void forward(size_t n, ActivationArguments<T> given, const T* x, T* y) {
  const Arguments<T> arguments{broadcast(given.first), broadcast(given.second)};
  for_each_vector<T>(
      n, [&](size_t i, auto part) { store(part, y + i, F::template forward<T>(load(part, x + i), arguments)); });
}
template <class T, class F>
void backward(size_t n, ActivationArguments<T> given, const T* from, const T* dy, T* dx) {
  const Arguments<T> arguments{broadcast(given.first), broadcast(given.second)};
  for_each_vector<T>(n, [&](size_t i, auto part) {
    store(part, dx + i, F::template backward<T>(load(part, from + i), load(part, dy + i), arguments));
  });
}
template <class T, class F>
constexpr ActivationKernels<T> from_y(const char* name) {
  return {.name = name, .from_x = false, .forward = forward<T, F>, .backward = backward<T, F>};
}
template <class T, class F>
constexpr ActivationKernels<T> from_x(const char* name) {
  return {.name = name, .from_x = true, .forward = forward<T, F>, .backward = backward<T, F>};
}

template <class T>
constexpr ActivationKernels<T> kActivations[] = {
    from_y<T, Identity>("identity"), from_y<T, Relu>("relu"),           from_y<T, LeakyRelu>("leaky_relu"),
    from_y<T, Hardtanh>("hardtanh"), from_x<T, Hardswish>("hardswish"), from_y<T, Tanh>("tanh"),
    from_y<T, Sigmoid>("sigmoid"),   from_x<T, Softsign>("softsign"),   from_y<T, Elu>("elu"),
    from_y<T, Selu>("selu"),         from_x<T, Softplus>("softplus"),   from_x<T, Silu>("silu"),
    from_x<T, Mish>("mish"),         from_x<T, Gelu>("gelu"),           from_x<T, GeluTanh>("gelu_tanh"),
};

template <class T>
void exp_all(size_t n, const T* x, T* y) {
  for_each_vector<T>(n, [&](size_t i, auto part) { store(part, y + i, exp<T>(load(part, x + i))); });
}
template <class T>
void log_all(size_t n, const T* x, T* y) {
  for_each_vector<T>(n, [&](size_t i, auto part) { store(part, y + i, log<T>(load(part, x + i))); });
}
template <class T>
void add(size_t n, const T* a, const T* b, T* y) {
  for_each_vector<T>(n, [&](size_t i, auto part) { store(part, y + i, load(part, a + i) + load(part, b + i)); });
}
template <class T>
void scale(size_t n, T factor, const T* x, T* y) {
  const Vec<T> factors = broadcast(factor);
  for_each_vector<T>(n, [&](size_t i, auto part) { store(part, y + i, factors * load(part, x + i)); });
}
template <class T>
void lerp(size_t n, T keep, const T* x, T* y) {
  const Vec<T> old = broadcast(keep), share = broadcast(1 - keep);  // exact from keep = 1/2 on, so they add up to 1
  for_each_vector<T>(
      n, [&](size_t i, auto part) { store(part, y + i, fma(old, load(part, y + i), share * load(part, x + i))); });
}

template <class T>
constexpr ElementwiseKernels<T> make_elementwise() {
  return {.activations = kActivations<T>,
          .activation_count = sizeof kActivations<T> / sizeof kActivations<T>[0],
          .exp = exp_all<T>,
          .log = log_all<T>,
          .add = add<T>,
          .scale = scale<T>,
          .lerp = lerp<T>};
}

}  // namespace

constinit const ElementwiseKernels<float> elementwise_f32 = make_elementwise<float>();
constinit const ElementwiseKernels<double> elementwise_f64 = make_elementwise<double>();

}  // namespace nnext::kernels::NNEXT_ISA
