// Activations in a type that is wider than what they are compared with.
#pragma once

#include <cmath>

namespace nnext::testing {

template <class W>
W sigmoid(W x) {
  const W e = std::exp(-std::fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}
template <class W>
W silu(W x) {
  return x < -11000 ? W(-0.0) : x * sigmoid(x);
}

template <class W>
W gelu(W x) {
  if (std::fabs(x) > 45) return x > 0 ? x : W(-0.0);
  const W z = -x * std::sqrt(W(0.5L)), below = x * std::erfc(z) / 2;
  if (x >= 0) return below;
  // z is rounded, and erfc(z) falls as e^(-z^2) does: x^2 / 2 - z^2 in twice the precision.
  const W square = x * x / 2, lost = std::fma(x, x / 2, -square), z_lost = std::fma(z, z, -z * z);
  return below * std::exp(-((square - z * z) + (lost - z_lost)));
}
template <class W>
W gelu_tanh_exponent(W x) {
  return W(1.595769121605730711759542L) * (x + W(0.044715L) * x * x * x);
}
template <class W>
W gelu_tanh(W x) {
  if (std::fabs(x) > 45) return x > 0 ? x : W(-0.0);
  return x * sigmoid(gelu_tanh_exponent(x));
}

// tanh(log(1 + e^x)), by e^-|x|, and its derivative.
template <class W>
struct MishShare {
  W value, derivative;
  explicit MishShare(W x) {
    const W e = std::exp(-std::fabs(x)), dividend = x < 0 ? e * (e + 2) : 1 + 2 * e;
    const W divisor = dividend + (x < 0 ? 2 : 2 * e * e);
    value = dividend / divisor;
    derivative = 4 * (x < 0 ? e : e * e) * (1 + e) / (divisor * divisor);
  }
};
template <class W>
W mish(W x) {
  return x < -11000 ? W(-0.0) : x * MishShare<W>(x).value;
}

template <class W>
W elu(W x) {
  return x < 0 ? std::expm1(x) : x;
}
template <class W>
W softplus(W x) {
  return std::fmax(x, W(0)) + std::log1p(std::exp(-std::fabs(x)));
}

template <class W>
W hardswish(W x) {
  if (x <= -3) return 0;
  return x >= 3 ? x : x * (x + 3) / 6;
}
template <class W>
W softsign(W x) {
  return std::isinf(x) ? std::copysign(W(1), x) : x / (1 + std::fabs(x));
}

}  // namespace nnext::testing
