// Element-wise functions: one struct and one row of kActivations an activation.
//
// Most gradients are told from the output y: relu and leaky_relu keep its sign, tanh' = (1 -
// y) (1 + y), sigmoid' = y (1 - y).
#include "kernels/parts.h"
#include "kernels/simd/normal.h"

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

// x Phi(x), Phi being the normal distribution, and its gradient Phi(x) + x phi(x), phi its density. D. Hendrycks and
// K. Gimpel, arXiv:1606.08415 (2016). Largest error in ULP over 2^28 floats and 2^25 doubles: 6.3 and 6.1, without FMA
// 6.3 and 6.2; the gradient is off by at most 4 eps (Phi(x) + |x| phi(x)).
struct Gelu {
  template <class T>
  static Vec<T> forward(Vec<T> x, Vec<T>) {
    const NormalTail<T> tail(x);
    const Int<T> negative = x < 0;
    const Vec<T> p = tail.times(tail.ratio * select<T>(negative, -tail.a, broadcast(T(1))));
    return select<T>(negative, p, x * (1 - p));
  }
  template <class T>
  static Vec<T> backward(Vec<T> x, Vec<T> dy, Vec<T>) {
    constexpr T kDensity = T(0.39894228040143268);  // phi(0) = 1 / sqrt(2 pi)
    const NormalTail<T> tail(x);
    const Vec<T> p = tail.times(fma(tail.a, broadcast(-kDensity), tail.ratio));
    return dy * select<T>(x < 0, p, 1 - p);
  }
};

// x (1 + tanh(z / 2)) / 2 = x sigmoid(z), which cancels nothing where x < 0, with z = 2 sqrt(2 / pi) (x + 0.044715
// x^3); gradient s + x s (1 - s) z'. The same source. As z is rounded, the error is up to 3 (1 + |z|) ULP, the
// gradient's up to 2.5 (1 + |z|) eps (s + |x| s (1 - s) z').
struct GeluTanh {
  // Beyond +-kEnd sigmoid(z) is 0 or 1 too, and x^2 must not become infinite.
  template <class T>
  static Vec<T> within_ends(Vec<T> x) {
    constexpr T kEnd = TailConstants<T>::kEnd;
    x = select<T>(x < -kEnd, broadcast(-kEnd), x);
    return select<T>(x > kEnd, broadcast(kEnd), x);
  }
  static constexpr double kLinear = 1.5957691216057308, kCubic = 0.044715 * kLinear;  // of z
  template <class T>
  static Vec<T> exponent(Vec<T> x) {
    return x * fma(x * x, broadcast(T(kCubic)), broadcast(T(kLinear)));
  }
  template <class T>
  static Vec<T> forward(Vec<T> x, Vec<T>) {
    const Vec<T> near = within_ends<T>(x);
    return select<T>(x < 0, near, x) * sigmoid<T>(exponent<T>(near));
  }
  template <class T>
  static Vec<T> backward(Vec<T> x, Vec<T> dy, Vec<T>) {
    x = within_ends<T>(x);
    const Vec<T> slope = fma(x * x, broadcast(T(3 * kCubic)), broadcast(T(kLinear)));
    const Vec<T> e = exp<T>(-abs<T>(exponent<T>(x))), large = 1 / (1 + e), small = e * large;
    const Int<T> negative = x < 0;
    const Vec<T> s = select<T>(negative, small, large), rest = select<T>(negative, large, small);
    return dy * (s * fma(x * rest, slope, broadcast(T(1))));
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
template <class T, class F>
constexpr ActivationKernels<T> from_x(const char* name) {
  return {.name = name, .from_x = true, .forward = forward<T, F>, .backward = backward<T, F>};
}

template <class T>
constexpr ActivationKernels<T> kActivations[] = {
    from_y<T, Identity>("identity"),  from_y<T, Relu>("relu"),       from_y<T, LeakyRelu>("leaky_relu"),
    from_y<T, Tanh>("tanh"),          from_y<T, Sigmoid>("sigmoid"), from_x<T, Gelu>("gelu"),
    from_x<T, GeluTanh>("gelu_tanh"),
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
