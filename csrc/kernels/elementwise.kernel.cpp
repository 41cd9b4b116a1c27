// Element-wise functions: one struct and one row of kActivations an activation.
//
// Most gradients are told from the output y: relu and leaky_relu keep its sign, tanh' = (1 - y) (1 + y), sigmoid' =
// y (1 - y).
#include "kernels/parts.h"
#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

struct Identity {
  template <class T>
  static Vec<T> forward(Vec<T> x, Vec<T>) {
    return x;
  }
  template <class T>
  static Vec<T> backward(Vec<T>, Vec<T> dy, Vec<T>) {
    return dy;
  }
};

// At 0 the gradient is that of the negative side, as PyTorch has it. A NaN passes: no comparison with it is true.
struct Relu {
  template <class T>
  static Vec<T> forward(Vec<T> x, Vec<T>) {
    return select<T>(x < 0, Vec<T>{}, x);
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, Vec<T>) {
    return select<T>(y <= 0, Vec<T>{}, dy);
  }
};

struct LeakyRelu {
  template <class T>
  static Vec<T> forward(Vec<T> x, Vec<T> slope) {
    return select<T>(x < 0, slope * x, x);
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, Vec<T> slope) {
    return select<T>(y <= 0, slope * dy, dy);
  }
};

struct Tanh {
  template <class T>
  static Vec<T> forward(Vec<T> x, Vec<T>) {
    return tanh<T>(x);
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, Vec<T>) {
    return dy * ((1 - y) * (1 + y));
  }
};

struct Sigmoid {
  template <class T>
  static Vec<T> forward(Vec<T> x, Vec<T>) {
    return sigmoid<T>(x);
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, Vec<T>) {
    return dy * (y * (1 - y));
  }
};

template <class T, class F>
void forward(size_t n, T argument, const T* x, T* y) {
  const Vec<T> arguments = broadcast(argument);
  for_each_vector<T>(
      n, [&](size_t i, auto part) { store(part, y + i, F::template forward<T>(load(part, x + i), arguments)); });
}
template <class T, class F>
void backward(size_t n, T argument, const T* from, const T* dy, T* dx) {
  const Vec<T> arguments = broadcast(argument);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    store(part, dx + i, F::template backward<T>(load(part, from + i), load(part, dy + i), arguments));
  });
}
template <class T, class F>
constexpr ActivationKernels<T> from_y(const char* name) {
  return {.name = name, .from_x = false, .forward = forward<T, F>, .backward = backward<T, F>};
}

template <class T>
constexpr ActivationKernels<T> kActivations[] = {
    from_y<T, Identity>("identity"), from_y<T, Relu>("relu"),       from_y<T, LeakyRelu>("leaky_relu"),
    from_y<T, Tanh>("tanh"),         from_y<T, Sigmoid>("sigmoid"),
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
constexpr ElementwiseKernels<T> make_elementwise() {
  return {.activations = kActivations<T>,
          .activation_count = sizeof kActivations<T> / sizeof kActivations<T>[0],
          .exp = exp_all<T>,
          .log = log_all<T>,
          .add = add<T>,
          .scale = scale<T>};
}

}  // namespace

constinit const ElementwiseKernels<float> elementwise_f32 = make_elementwise<float>();
constinit const ElementwiseKernels<double> elementwise_f64 = make_elementwise<double>();

}  // namespace nnext::kernels::NNEXT_ISA
