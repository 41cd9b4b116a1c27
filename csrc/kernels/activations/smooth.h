// Activations that are x, or nearly, from some point on, and bend to a limit before it by an exponential. The largest
// errors are in ULP over 2^24 floats and 2^22 doubles, those of gradients without the product with dy.
#pragma once

#include "kernels/activations/arguments.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// scale x, and for x < 0 depth (e^x - 1), whose gradient is y + depth, also at 0.
template <class T>
inline Vec<T> exponential_below_0(Vec<T> x, Vec<T> depth, Vec<T> scale) {
  return select<T>(x < 0, depth * expm1_below_0<T>(x), scale * x);
}
template <class T>
inline Vec<T> slope_of_exponential(Vec<T> y, Vec<T> depth, Vec<T> scale) {
  return select<T>(y > 0, scale, y + depth);  // of NaN it is NaN
}

// D.-A. Clevert, T. Unterthiner and S. Hochreiter, arXiv:1511.07289 (2015). Largest error: 0.94 for alpha = 1, else
// as SELU's, the gradient's 0.41 and 0.75 eps alpha.
struct Elu {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>& alpha) {
    return exponential_below_0<T>(x, alpha.first, broadcast(T(1)));
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, const Arguments<T>& alpha) {
    return dy * slope_of_exponential<T>(y, alpha.first, broadcast(T(1)));
  }
};

// The alpha and the scale that keep mean 0 and variance 1 from layer to layer. G. Klambauer and others, arXiv:1706.02515
// (2017). Largest error: 1.9, the gradient's 1.3 eps.
struct Selu {
  static constexpr double kScale = 1.0507009873554805, kDepth = 1.7580993408473769;  // scale * alpha
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    return exponential_below_0<T>(x, broadcast(T(kDepth)), broadcast(T(kScale)));
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, const Arguments<T>&) {
    return dy * slope_of_exponential<T>(y, broadcast(T(kDepth)), broadcast(T(kScale)));
  }
};

// log(1 + e^z) / beta with z = beta x, and x itself for z > threshold: y does not tell which. The gradient is
// sigmoid(z), or 1. C. Dugas and others, NIPS 13 (2000). Largest error: 1.7, the gradient's 1.5 eps sigmoid(z); where z
// is rounded |z| / 2 more, and 1 / 2 where the quotient is.
struct Softplus {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>& a) {
    const auto& [beta, threshold] = a;
    const Vec<T> z = beta * x, above = select<T>(z < 0, Vec<T>{}, z);
    return select<T>(z > threshold, x, (above + log1p<T>(exp<T>(-abs<T>(z)))) / beta);
  }
  template <class T>
  static Vec<T> backward(Vec<T> x, Vec<T> dy, const Arguments<T>& a) {
    const auto& [beta, threshold] = a;
    const Vec<T> z = beta * x;
    return dy * select<T>(z > threshold, broadcast(T(1)), sigmoid<T>(z));
  }
};

// Products of x and a function that is 1 for large x and falls as e^x does for small ones. Where x < 0 the power is
// multiplied last, so that a denormal result is rounded once.
template <class T>
struct Gate {
  Vec<T> x;  // not where only 0 is left: infinity times 0 would be NaN
  Int<T> negative;
  ExpParts<T> power;
  Vec<T> e;  // e^-|x|
  Gate(Vec<T> x_, T high)
      : x(clamp<T>(x_, broadcast(MathConstants<T>::kExpLow), broadcast(high))),
        negative(x < 0),
        power(-abs<T>(x)),
        e(power.scale(power.exp_r)) {}
  static Gate of_value(Vec<T> x) { return {x, kInfinity<T>}; }
  static Gate of_slope(Vec<T> x) { return {x, -MathConstants<T>::kExpLow}; }
  Vec<T> value(Vec<T> y) const { return select<T>(negative, power.scale(power.exp_r * y), y); }
};

// x sigmoid(x), its gradient s (1 + x (1 - s)) with s = sigmoid(x). S. Elfwing, E. Uchibe and K. Doya, arXiv:1702.03118
// (2017). Largest error: 3.0, the gradient's 2.6 eps (s + |x| s (1 - s)).
struct Silu {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    const auto gate = Gate<T>::of_value(x);
    return gate.value(gate.x / (1 + gate.e));
  }
  template <class T>
  static Vec<T> backward(Vec<T> x, Vec<T> dy, const Arguments<T>&) {
    const auto gate = Gate<T>::of_slope(x);
    const Logistic<T> of_x(gate.e, gate.negative);
    return dy * (of_x.s * fma(gate.x, of_x.rest, broadcast(T(1))));
  }
};

// x tanh(log(1 + e^x)) = x n / (n + 2), n = e^x (e^x + 2), and its gradient n / (n + 2) + 4 x e^x (1 + e^x) / (n + 2)^2;
// for x > 0 both fractions are divided by the power of e^x that keeps them finite. D. Misra, arXiv:1908.08681 (2019).
// Largest error: 3.8, the gradient's 3.4 eps of the sum of its terms' sizes.
struct Mish {
  template <class T>
  struct Fraction {  // n / e^x and n + 2; where x > 0 n and n + 2, both over e^2x
    Vec<T> dividend, divisor;
    explicit Fraction(const Gate<T>& gate) {
      const Vec<T> e = gate.e;
      dividend = select<T>(gate.negative, e + 2, 1 + 2 * e);
      divisor = select<T>(gate.negative, fma(e, dividend, broadcast(T(2))), fma(2 * e, e, dividend));
    }
  };
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    const auto gate = Gate<T>::of_value(x);
    const Fraction<T> fraction(gate);
    return gate.value(gate.x * (fraction.dividend / fraction.divisor));
  }
  template <class T>
  static Vec<T> backward(Vec<T> x, Vec<T> dy, const Arguments<T>&) {
    const auto gate = Gate<T>::of_slope(x);
    const Vec<T> e = gate.e;
    const Fraction<T> fraction(gate);
    const Vec<T> inverse = 1 / fraction.divisor;
    const Vec<T> share = select<T>(gate.negative, e * fraction.dividend, fraction.dividend) * inverse;
    const Vec<T> rise = 4 * select<T>(gate.negative, e, e * e) * (1 + e) * inverse * inverse;
    return dy * fma(gate.x, rise, share);
  }
};

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
