// Activations of straight pieces, or of pieces of a parabola.
#pragma once

#include "kernels/activations/arguments.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

struct Identity {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    return x;
  }
  template <class T>
  static Vec<T> backward(Vec<T>, Vec<T> dy, const Arguments<T>&) {
    return dy;
  }
};

// At 0 the gradient is that of the negative side, as PyTorch has it. A NaN passes: no comparison with it is true.
struct Relu {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    return select<T>(x < 0, Vec<T>{}, x);
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, const Arguments<T>&) {
    return select<T>(y <= 0, Vec<T>{}, dy);
  }
};

struct LeakyRelu {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>& slope) {
    return select<T>(x < 0, slope.first * x, x);
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, const Arguments<T>& slope) {
    return select<T>(y <= 0, slope.first * dy, dy);
  }
};

// x within [min, max]; y tells where it lies.
struct Hardtanh {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>& limits) {
    return clamp<T>(x, limits.first, limits.second);
  }
  template <class T>
  static Vec<T> backward(Vec<T> y, Vec<T> dy, const Arguments<T>& limits) {
    return select<T>((y <= limits.first) | (y >= limits.second), Vec<T>{}, dy);
  }
};

// x (x + 3) / 6 between -3 and 3, 0 below, x above. A. Howard and others, arXiv:1905.02244 (2019). Largest error in ULP
// over 2^24 floats and 2^22 doubles: 2.5; the gradient, x / 3 + 1 / 2 between, is off by at most 1.5 eps.
struct Hardswish {
  template <class T>
  static Vec<T> forward(Vec<T> x, const Arguments<T>&) {
    const Vec<T> y = select<T>(x <= -3, Vec<T>{}, x * ((x + 3) * T(1.0 / 6)));
    return select<T>(x >= 3, x, y);
  }
  template <class T>
  static Vec<T> backward(Vec<T> x, Vec<T> dy, const Arguments<T>&) {
    const Vec<T> slope = select<T>(x <= -3, Vec<T>{}, fma(x, broadcast(T(1.0 / 3)), broadcast(T(0.5))));
    return dy * select<T>(x >= 3, broadcast(T(1)), slope);
  }
};

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
