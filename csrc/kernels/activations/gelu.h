// GELU and its form by tanh.
#pragma once

#include "kernels/activations/arguments.h"
#include "kernels/simd/normal.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// x Phi(x), Phi being the normal distribution, and its gradient Phi(x) + x phi(x), phi its density. D. Hendrycks and
// K. Gimpel, arXiv:1606.08415 (2016). Largest error in ULP over 2^28 floats and 2^25 doubles: 6.3 and 6.1, without FMA
// 6.3 and 6.2; the gradient is off by at most 4 eps (Phi(x) + |x| phi(x)).
struct Gelu {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    const NormalTail<T> tail(x);
    const Int<T> negative = x < 0;
    const Vec<T> p = tail.times(tail.ratio * select<T>(negative, -tail.a, broadcast(T(1))));
    return select<T>(negative, p, x * (1 - p));
  }
  template <class T>
  static Vec<T> backward(Vec<T> x, Vec<T> dy, const Arguments<T>&) {
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
    return clamp<T>(x, broadcast(-kEnd), broadcast(kEnd));
  }
  static constexpr double kLinear = 1.5957691216057308, kCubic = 0.044715 * kLinear;  // of z
  template <class T>
  static Vec<T> exponent(Vec<T> x) {
    return x * fma(x * x, broadcast(T(kCubic)), broadcast(T(kLinear)));
  }
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    const Vec<T> near = within_ends<T>(x);
    return select<T>(x < 0, near, x) * sigmoid<T>(exponent<T>(near));
  }
  template <class T>
  static Vec<T> backward(Vec<T> x, Vec<T> dy, const Arguments<T>&) {
    x = within_ends<T>(x);
    const Vec<T> slope = fma(x * x, broadcast(T(3 * kCubic)), broadcast(T(kLinear)));
    const Logistic<T> of_z(exp<T>(-abs<T>(exponent<T>(x))), x < 0);
    return dy * (of_z.s * fma(x * of_z.rest, slope, broadcast(T(1))));
  }
};

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
