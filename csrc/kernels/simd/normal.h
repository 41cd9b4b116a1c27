// The normal distribution, for gelu. Coefficients: tools/fit_polynomials.py.
#pragma once

#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T>
struct TailConstants;
template <>
struct TailConstants<float> {
  static constexpr float kCenter = 4, kEnd = 14.7f;
  static constexpr float kRatio[] = {0.755285131f,    -0.60789665f,     0.387137313f,    -0.186521562f,
                                     0.0603982312f,   -0.00754279337f,  -0.00349167645f, 0.00163645039f,
                                     0.000171331637f, -0.000220927505f, -4.58099813e-5f};
};
template <>
struct TailConstants<double> {
  static constexpr double kCenter = 4, kEnd = 38.7;
  static constexpr double kRatio[] = {
      0.75528513041575149,    -0.6078966419718921,     0.38713740074221483,    -0.18652185795965857,
      0.06039657489092038,    -0.007540188966685325,   -0.0034796923670363556, 0.0016308184570101372,
      0.00013334430833999159, -0.00023109493093112744, -1.9082312516895802e-6, 3.5144668776190604e-5,
      7.165519784728792e-7,   -5.9201360892623862e-6,  -6.2938613817921339e-7, 1.0215288570477154e-6,
      2.7125989304614093e-7,  -1.5502860729298938e-7,  -8.48118680956814e-8,   1.3447479821566375e-8,
      1.9248635536159948e-8,  1.7648293432062283e-9,   -2.422084798149473e-9,  -6.737342397779343e-10};
};

// a^2 - square, exact, for square = a * a rounded, with or without FMA: a is cut in two halves whose products are
// exact. Source: T. J. Dekker, Numerische Mathematik 18 (1971).
template <class T>
inline Vec<T> lost_by_square(Vec<T> a, Vec<T> square) {
  constexpr int kCut = (MathConstants<T>::kMantissaBits + 2) / 2;
  const Vec<T> high = from_bits<T>(as_bits<T>(a) & -(Bits<T>{1} << kCut)), low = a - high;
  return (high * high - square) + 2 * high * low + low * low;
}

// The normal distribution's upper tail from a = |x| on, erfc(a / sqrt 2) / 2 = e^(-a^2 / 2) ratio, to a few ULP however
// small it is. (a + c) ratio is smooth up to infinity as a function of (a - c) / (a + c): M. M. Shepherd and J. G.
// Laframboise, Mathematics of Computation 36 (1981).
template <class T>
struct NormalTail {
  Vec<T> a, ratio;  // a at most kEnd, from where on even a e^(-a^2 / 2) rounds to 0
  explicit NormalTail(Vec<T> x) : a(abs<T>(x)), power_(Vec<T>{}) {
    using C = TailConstants<T>;
    a = select<T>(a > C::kEnd, broadcast(C::kEnd), a);
    const Vec<T> inverse = 1 / (a + C::kCenter), square = a * a;
    ratio = inverse * polynomial<T>(C::kRatio, (a - C::kCenter) * inverse);
    power_ = ExpParts<T>(T(-0.5) * square);
    power_.exp_r *= 1 - T(0.5) * lost_by_square<T>(a, square);
  }
  // e^(-a^2 / 2) y, rounded once where it is denormal.
  Vec<T> times(Vec<T> y) const { return power_.scale(power_.exp_r * y); }

 private:
  ExpParts<T> power_;
};

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
