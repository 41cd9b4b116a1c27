// exp, expm1 below 0, log, log1p, tanh and sigmoid of vectors, branch-free, the same sequence of operations for every instruction set.
//
// Over the whole range, denormal arguments and results included; overflow to infinity, NaN stays NaN. Largest error in
// ULP, with FMA over all 2^32 floats (without: 2^28 of them) and 2^28 (2^26) doubles:
//
//            float          double
//          FMA  without   FMA  without
// exp      0.88  0.89     0.88  0.90
// expm1    0.90  0.88     0.92  0.94   (2^24 floats, 2^22 doubles)
// log      0.84  0.81     0.85  0.85
// log1p    0.84  0.81     0.85  0.85
// tanh     2.33  2.29     2.35  2.33
// sigmoid  2.41  2.41     2.39  2.38
//
// tests/cpp/math_check.cpp measures a sample on every run and fails above 2.5.
// Coefficients: tools/fit_polynomials.py.
#pragma once

#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T>
struct MathConstants;
template <>
struct MathConstants<float> {
  using Unsigned = std::uint32_t;
  static constexpr int kMantissaBits = 23, kBias = 127;
  static constexpr float kLeastNormal = 0x1p-126f;
  static constexpr float kRounder =
      0x1.8p23f + 127;  // adding it rounds to an integer n; its low bits are then n + bias
  static constexpr float kExpLow = -110, kExpHigh = 89, kTanhOne = 9.1f;  // beyond: 0, also times |x|, infinity, 1
  static constexpr float kLog2e = 1.44269504f;
  static constexpr float kLn2High = 0.693145751953125f, kLn2Low = 1.42860682e-6f;  // n * high is exact
  static constexpr float kExp[] = {0.49999994f, 0.166665224f, 0.0416682767f, 0.00836854996f, 0.00138199128f};
  static constexpr float kLog[] = {0.666667697f, 0.399781946f, 0.298568637f};
  static constexpr float kTanh[] = {-0.333333231f, 0.133312176f, -0.0527346591f};
};
template <>
struct MathConstants<double> {
  using Unsigned = std::uint64_t;
  static constexpr int kMantissaBits = 52, kBias = 1023;
  static constexpr double kLeastNormal = 0x1p-1022;
  static constexpr double kRounder = 0x1.8p52 + 1023;
  static constexpr double kExpLow = -760, kExpHigh = 710, kTanhOne = 19.1;
  static constexpr double kLog2e = 1.4426950408889634;
  static constexpr double kLn2High = 0.69314718055966295651, kLn2Low = 2.8235290563031577e-13;
  static constexpr double kExp[] = {0.50000000000000091,   0.16666666666666435,   0.041666666666541264,
                                    0.0083333333334845099, 0.0013888888941053675, 0.00019841269521181002,
                                    2.4801495510912797e-5, 2.7557577833388033e-6, 2.762945870073916e-7,
                                    2.5001685412758282e-8};
  static constexpr double kLog[] = {0.66666666666667116, 0.39999999999538809, 0.2857142871837937, 0.22222200784803028,
                                    0.18183459026150909, 0.15316553691671054, 0.1477243748170707};
  static constexpr double kTanh[] = {-0.33333333333332598, 0.13333333332827801,    -0.053968252841653418,
                                     0.021869374368041301, -0.0088574126252828196, 0.0034459521835901762};
};

template <class T>
inline constexpr Bits<T> kSignBit = static_cast<Bits<T>>(Bits<T>{1} << (8 * sizeof(T) - 1));

template <class T>
inline Vec<T> abs(Vec<T> x) {
  return from_bits<T>(as_bits<T>(x) & ~kSignBit<T>);
}
template <class T>
inline Vec<T> copy_sign(Vec<T> magnitude, Vec<T> sign) {
  return from_bits<T>(as_bits<T>(magnitude) | (as_bits<T>(sign) & kSignBit<T>));
}
// NaN passes.
template <class T>
inline Vec<T> clamp(Vec<T> x, Vec<T> low, Vec<T> high) {
  x = select<T>(x < low, low, x);
  return select<T>(x > high, high, x);
}
template <class T, int Count>
inline Vec<T> polynomial(const T (&coefficients)[Count], Vec<T> x) {
  Vec<T> sum = broadcast(coefficients[Count - 1]);
#pragma GCC unroll 24
  for (int i = Count - 2; i >= 0; --i) sum = fma(sum, x, broadcast(coefficients[i]));
  return sum;
}

// x = n * period + r with |r| <= period / 2, the period being ln 2 / divisor; r = high + low, high exact.
template <class T>
struct Reduced {
  Vec<T> n, high, low, r;
  Reduced(Vec<T> x, T divisor) {
    using C = MathConstants<T>;
    n = fma(x, broadcast(C::kLog2e * divisor), broadcast(C::kRounder)) - C::kRounder;
    high = fma(n, broadcast(-C::kLn2High / divisor), x);
    low = n * (-C::kLn2Low / divisor);
    r = high + low;
  }
};

// 2^n where that is a normal number, from n + kRounder.
template <class T>
inline Vec<T> power_of_two(Vec<T> rounded) {
  return from_bits<T>(as_bits<T>(rounded) << MathConstants<T>::kMantissaBits);
}

// e^x = 2^n e^r. The powers are 2^half and 2^(n - half): 2^n may be no normal number, and a denormal result rounds
// once.
template <class T>
struct ExpParts {
  Vec<T> exp_r, first_power, second_power;
  explicit ExpParts(Vec<T> x) {
    using C = MathConstants<T>;
    x = select<T>(x > C::kExpHigh, broadcast(C::kExpHigh), x);
    x = select<T>(x < C::kExpLow, broadcast(C::kExpLow), x);
    const auto [n, high, low, r] = Reduced<T>(x, 1);
    exp_r = 1 + (high + fma(r * r, polynomial<T>(C::kExp, r), low));
    const Vec<T> half = fma(n, broadcast(T(0.5)), broadcast(C::kRounder));
    first_power = power_of_two<T>(half);
    second_power = power_of_two<T>(n - (half - C::kRounder) + C::kRounder);
  }
  Vec<T> scale(Vec<T> y) const { return y * first_power * second_power; }  // 2^n y
};
template <class T>
inline Vec<T> exp(Vec<T> x) {
  const ExpParts<T> parts(x);
  return parts.scale(parts.exp_r);
}

// e^x - 1 = 2^n (e^r - 1) + (2^n - 1) for x <= 0, where nothing cancels: n is 0 near 0.
template <class T>
inline Vec<T> expm1_below_0(Vec<T> x) {
  using C = MathConstants<T>;
  x = select<T>(x < -2 * C::kTanhOne, broadcast(-2 * C::kTanhOne), x);  // -1 from there on
  const auto [n, high, low, r] = Reduced<T>(x, 1);
  const Vec<T> power = power_of_two<T>(n + C::kRounder);
  return fma(power, high + fma(r * r, polynomial<T>(C::kExp, r), low), power - 1);
}

// |x| = n ln 2 / 2 + h. The tanh of that sum, with tanh(n ln 2 / 2) = (2^n - 1) / (2^n + 1) and t = tanh h, is
// (t (2^n + 1) + (2^n - 1)) / (t (2^n - 1) + (2^n + 1)); from n = 3 on it is told as 1 - 2 (1 - t) / the same divisor,
// where the quotient is small and so are its errors.
template <class T>
inline Vec<T> tanh(Vec<T> x) {
  using C = MathConstants<T>;
  Vec<T> size = abs<T>(x);
  size = select<T>(size > C::kTanhOne, broadcast(C::kTanhOne), size);
  const Reduced<T> reduced(size, 2);
  const Vec<T> n = reduced.n, h = reduced.r, z = h * h, t = fma(h * z, polynomial<T>(C::kTanh, z), h);
  const Vec<T> power = power_of_two<T>(n + C::kRounder), more = power + 1, less = power - 1;
  const Int<T> near_one = n > 2;
  const Vec<T> dividend = select<T>(near_one, 2 - 2 * t, -fma(t, more, less));
  const Vec<T> start = select<T>(near_one, broadcast(T(1)), Vec<T>{});
  return copy_sign<T>(start - dividend / fma(t, less, more), x);
}

// 1 / (1 + e^-x); for x < 0 as e^x / (1 + e^x), which neither overflows nor loses the denormal results.
template <class T>
inline Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> e = exp<T>(-abs<T>(x));
  return select<T>(x < 0, e, broadcast(T(1))) / (1 + e);
}

// s = sigmoid(z) and rest = 1 - s from e^-|z|, where neither cancels.
template <class T>
struct Logistic {
  Vec<T> s, rest;
  Logistic(Vec<T> e, Int<T> negative) {
    const Vec<T> large = 1 / (1 + e), small = e * large;
    s = select<T>(negative, small, large), rest = select<T>(negative, large, small);
  }
};

// x = 2^exponent * (1 + fraction), 1 + fraction in [sqrt(1/2), sqrt(2)), for normal x > 0.
template <class T>
struct Split {
  Vec<T> exponent, fraction;
  explicit Split(Vec<T> x) {
    using C = MathConstants<T>;
    using Bit = typename C::Unsigned;  // unsigned: the sums may wrap around where x is NaN
    typedef Bit BitVec __attribute__((vector_size(NNEXT_VECTOR_BYTES)));
    constexpr Bit kOne = Bit{C::kBias} << C::kMantissaBits, kMantissa = (Bit{1} << C::kMantissaBits) - 1;
    constexpr Bit kLow = __builtin_bit_cast(Bit, T(0.70710678118654752));
    const BitVec shifted = (BitVec)x + (kOne - kLow);  // the exponent steps up at sqrt(2) in place of 2
    // Biased exponent + bits of 1.5 * 2^23 (2^52), read as a number, is 1.5 * 2^23 + biased exponent.
    constexpr Bit kOffset = __builtin_bit_cast(Bit, C::kRounder - C::kBias);
    exponent = (Vec<T>)((shifted >> C::kMantissaBits) + kOffset) - C::kRounder;
    fraction = (Vec<T>)((shifted & kMantissa) + kLow) - 1;
  }
};

// exponent * ln 2 + log(1 + f) + low, with log(1 + f) = log((1 + s) / (1 - s)) and s = f / (2 + f). As 2 s = f - s f
// and s f = f^2 / 2 - s f^2 / 2, f itself, exact, is the leading term.
template <class T>
inline Vec<T> log_of_parts(Vec<T> exponent, Vec<T> f, Vec<T> low) {
  using C = MathConstants<T>;
  const Vec<T> s = f / (2 + f), z = s * s, half_square = T(0.5) * f * f;
  const Vec<T> tail = z * polynomial<T>(C::kLog, z);
  low = fma(exponent, broadcast(C::kLn2Low), low);
  return fma(exponent, broadcast(C::kLn2High), f - (half_square - fma(s, half_square + tail, low)));
}

// What log gives for arguments that have no parts: 0, negative, infinite, NaN.
template <class T>
inline Vec<T> log_of_special(Vec<T> x, Vec<T> otherwise) {
  Vec<T> y = select<T>(x == 0, broadcast(-kInfinity<T>), otherwise);
  y = select<T>(x < 0, broadcast(static_cast<T>(__builtin_nan(""))), y);
  return select<T>(x < kInfinity<T>, y, x);
}

template <class T>
inline Vec<T> log(Vec<T> x) {
  constexpr int kUp = MathConstants<T>::kMantissaBits;
  const Int<T> denormal = x < MathConstants<T>::kLeastNormal;
  const Split<T> parts(select<T>(denormal, x * T(Bits<T>(1) << kUp), x));
  const Vec<T> exponent = select<T>(denormal, parts.exponent - T(kUp), parts.exponent);
  return log_of_special<T>(x, log_of_parts<T>(exponent, parts.fraction, Vec<T>{}));
}

// log(1 + x): what rounding u = 1 + x lost comes back as lost / u, or with f = x where u needs no exponent.
template <class T>
inline Vec<T> log1p(Vec<T> x) {
  const Vec<T> u = 1 + x, rise = u - 1;
  const Vec<T> lost = (1 - (u - rise)) + (x - rise);  // exact: D. E. Knuth, TAOCP 2, 4.2.2, theorem B
  const Split<T> parts(u);
  const Int<T> near = parts.exponent == 0;
  const Vec<T> y =
      log_of_parts<T>(parts.exponent, select<T>(near, x, parts.fraction), select<T>(near, Vec<T>{}, lost / u));
  return log_of_special<T>(u, y);
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
