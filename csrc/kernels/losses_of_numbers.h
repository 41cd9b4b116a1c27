// Losses of single outputs that are compared with numbers, for loss.kernel.cpp.
#pragma once

#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// A loss's settings at the outputs of a vector.
template <class T>
struct Given {
  Vec<T> first, second, weight;
};

// Each has what one output y with target t adds to a row's loss, and its derivative with respect to y.
struct SquaredError {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>&) {
    return (y - t) * (y - t);
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>&) {
    return 2 * (y - t);
  }
};

// d^2 / 2 up to |d| = delta, from there on its tangent. P. J. Huber, Annals of Mathematical Statistics 35 (1964).
struct Huber {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>& given) {
    const Vec<T> delta = given.first, size = abs<T>(y - t), near = select<T>(size > delta, delta, size);
    return near * fma(broadcast(T(-0.5)), near, size);
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>& given) {
    const Vec<T> delta = given.first, distance = y - t, near = select<T>(distance > delta, delta, distance);
    return select<T>(near < -delta, -delta, near);
  }
};

// q of the distance below the target, 1 - q above it: least for the q-quantile. The slope at the kink is 0, which lies
// between those beside it. R. Koenker, G. Bassett, Econometrica 46 (1978).
struct Quantile {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>& given) {
    const Vec<T> distance = y - t;
    return distance * slope_of<T>(distance, given.first);
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>& given) {
    const Vec<T> distance = y - t;
    return select<T>(distance == 0, distance, slope_of<T>(distance, given.first));
  }

 private:
  template <class T>
  static Vec<T> slope_of(Vec<T> distance, Vec<T> q) {
    return select<T>(distance > 0, 1 - q, select<T>(distance < 0, -q, distance));  // NaN stays
  }
};

struct AbsoluteError {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>&) {
    return abs<T>(y - t);
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>&) {
    const Vec<T> distance = y - t;
    const Vec<T> one = broadcast(T(1));
    return select<T>(distance > 0, one, select<T>(distance < 0, -one, distance));  // 0 and NaN stay
  }
};

// log cosh d. With |d| >= 1 it is |d| + log(1 + e^(-2 |d|)) - log 2, whose terms are at most 2.6 times it; nearer to 0,
// where they would cancel, -log(1 - tanh(d)^2) / 2. So it is off by at most 8 eps of itself, however small.
struct LogCosh {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>&) {
    const Vec<T> size = abs<T>(y - t), slope = tanh<T>(size);
    const Int<T> near = size < 1;
    const Vec<T> log = log1p<T>(select<T>(near, -slope * slope, exp<T>(-2 * size)));
    return select<T>(near, T(-0.5) * log, size - (T(0.69314718055994531) - log));
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>&) {
    return tanh<T>(y - t);
  }
};

// The negative log likelihood of a count t whose mean is e^y, without log t!, which no output changes. Off by few eps of
// e^y + |t y|, infinite where e^y is.
struct PoissonLikelihood {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>&) {
    return fma(-t, y, exp<T>(y));
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>&) {
    return exp<T>(y) - t;
  }
};

// The same of a t > 0 that is gamma distributed with the mean e^y and any shape: what depends on y, over the shape. Off
// by few eps of |y| + t e^-y, infinite where that is.
struct GammaLikelihood {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>&) {
    return fma(t, exp<T>(-y), y);
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>&) {
    return fma(-t, exp<T>(-y), broadcast(T(1)));
  }
};

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
