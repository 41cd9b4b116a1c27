// Losses of single outputs that say yes or no, for loss.kernel.cpp.
#pragma once

#include "kernels/losses_of_numbers.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T>
inline Vec<T> at_least(T low, Vec<T> x) {
  return select<T>(x < low, broadcast(low), x);
}

// w = given.weight is how much a yes counts beside a no; where it is 1 the bits are those of the formulas without it.
//
// The limits are those of torch.nn.functional.binary_cross_entropy: logs of at least -100, a divisor of at least 1e-12.
struct BinaryCrossEntropy {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>& given) {
    return (t - 1) * at_least<T>(-100, log1p<T>(-y)) - given.weight * t * at_least<T>(-100, log<T>(y));
  }
  // (1 - t) y - w t (1 - y), over y (1 - y)
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>& given) {
    return fma((1 - given.weight) * t, 1 - y, y - t) / at_least<T>(T(1e-12), y * (1 - y));
  }
};

// (1 - t) log(1 + e^y) + w t log(1 + e^-y) = (1 - t + w t) log(1 + e^-|y|) + |y| (y > 0 ? 1 - t : w t): no term cancels
// another when 0 <= t <= 1.
struct BinaryCrossEntropyOfLogits {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>& given) {
    const Vec<T> size = abs<T>(y), yes = given.weight * t, no = 1 - t;
    return fma(size, select<T>(y > 0, no, yes), (no + yes) * log1p<T>(exp<T>(-size)));
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>& given) {
    const Vec<T> yes = given.weight * t;
    return fma(1 - t + yes, sigmoid<T>(y), -yes);
  }
};

// The binary cross-entropy of a logit times (alpha t + (1 - alpha) (1 - t)) miss^gamma, where miss = p (1 - t) + (1 - p)
// t is how far the probability p = sigmoid(y) is from the label; no alpha is told as a negative one. T.-Y. Lin et al.,
// Focal Loss for Dense Object Detection, ICCV 2017.
//
// No term cancels another for t = 0 and 1. As miss^gamma = e^(gamma log miss), all is off by at most 20 + 2 gamma |log
// miss| eps of itself. A miss below the least normal number counts as that: its power is 1 for gamma = 0, else next to 0.
struct Focal {
  template <class T>
  struct Terms {
    Vec<T> p, not_p, entropy, miss, factor;
    Terms(Vec<T> y, Vec<T> t, const Given<T>& given) {
      const Vec<T> size = abs<T>(y), e = exp<T>(-size), large = 1 / (1 + e), small = e / (1 + e);
      p = select<T>(y > 0, large, small), not_p = select<T>(y > 0, small, large);
      entropy = fma(size, select<T>(y > 0, 1 - t, t), log1p<T>(e));
      miss = at_least<T>(MathConstants<T>::kLeastNormal, fma(p, 1 - t, not_p * t));
      const Vec<T> alpha = given.second, balance = fma(alpha, t, (1 - alpha) * (1 - t));
      factor = select<T>(alpha < 0, broadcast(T(1)), balance) * exp<T>(given.first * log<T>(miss));
    }
  };
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>& given) {
    const Terms<T> at(y, t, given);
    return at.factor * at.entropy;
  }
  // miss' = p (1 - p) (1 - 2 t)
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>& given) {
    const Terms<T> at(y, t, given);
    const Vec<T> relative = at.p * (1 - 2 * t) / at.miss * at.not_p;
    return at.factor * fma(given.first * at.entropy, relative, fma(at.p, 1 - t, -at.not_p * t));
  }
};

// max(0, 1 - s y), where s is 1 for t > 0 and else -1. The slope at the kink is 0.
struct Hinge {
  template <class T>
  static Vec<T> loss(Vec<T> y, Vec<T> t, const Given<T>&) {
    return at_least<T>(0, fma(-sign<T>(t), y, broadcast(T(1))));
  }
  template <class T>
  static Vec<T> slope(Vec<T> y, Vec<T> t, const Given<T>&) {
    const Vec<T> room = fma(-sign<T>(t), y, broadcast(T(1)));
    return select<T>(room > 0, -sign<T>(t), select<T>(room <= 0, Vec<T>{}, room));  // NaN stays
  }

 private:
  template <class T>
  static Vec<T> sign(Vec<T> t) {
    return select<T>(t > 0, broadcast(T(1)), broadcast(T(-1)));
  }
};

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
