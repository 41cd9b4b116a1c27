// Activations between two limits that they come near to.
#pragma once

#include "kernels/activations/arguments.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

struct Tanh {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    return tanh<T>(x);
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, const Arguments<T>&) {
    return dy * ((1 - y) * (1 + y));
  }
};

struct Sigmoid {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    return sigmoid<T>(x);
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, const Arguments<T>&) {
    return dy * (y * (1 - y));
  }
};

// x / (1 + |x|), which is 1 from 2 / eps on, and its gradient 1 / (1 + |x|)^2; y = 1 - 1e-7 does not tell it to a digit.
// X. Glorot and Y. Bengio, AISTATS (2010). Off by at most 1.5 ULP, the gradient by 3 eps of itself.
struct Softsign {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    constexpr T kOne = T(0x1p60);  // infinity divided by itself would be NaN
    x = clamp<T>(x, broadcast(-kOne), broadcast(kOne));
    return x / (1 + abs<T>(x));
  }
  template <class T>
  static Vec<T> backward(Vec<T> x, Vec<T> dy, const Arguments<T>&) {
    const Vec<T> inverse = 1 / (1 + abs<T>(x));
    return dy * (inverse * inverse);
  }
};

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
