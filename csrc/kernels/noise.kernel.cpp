// Numbers of the normal distribution from random words: sqrt(-2 log u) cos(2 pi v) for u, v evenly spread over (0, 1).
// G. E. P. Box and M. E. Muller, Ann. Math. Stat. 29 (1958).
//
// The C library's log and cos may round otherwise on another CPU; these give the same bits on all that have an FMA, since
// they are the kernels'. In double for float, too: a float next to 1 would leave few digits of the logarithm.
#include "kernels/parts.h"
#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// sin(2 pi s) = s P(s^2) for |s| <= 1/4, to 2^-61; tools/fit_polynomials.py.
constexpr double kSine[] = {6.2831853071795865,  -41.341702240399756,  81.605249276073406,
                            -76.705859752798491, 42.058693923784926,   -15.094641620501055,
                            3.8199270503350225,  -0.71772357892956162, 0.10085632649043385};

// cos(2 pi v) = sin(2 pi s) with s = |v - 1/2| - 1/4, which is exact. At most 4 eps |z| off.
inline Vec<double> normal(Vec<double> u, Vec<double> v) {
  const Vec<double> s = abs<double>(v - 0.5) - 0.25;
  return sqrt(-2 * log<double>(u)) * (s * polynomial<double>(kSine, s * s));
}

// The middle of one of 2^32 equal parts of (0, 1).
inline double uniform(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

template <class T>
void add_normal(size_t n, double std, const std::uint32_t* words, const T* x, T* y) {
  constexpr size_t kAtOnce = kLanes<double>;
  for (size_t i = 0; i < n; i += kAtOnce) {
    const size_t count = n - i < kAtOnce ? n - i : kAtOnce;
    double u[kAtOnce] = {}, v[kAtOnce] = {}, z[kAtOnce];
    for (size_t lane = 0; lane < count; ++lane)
      u[lane] = uniform(words[2 * (i + lane)]), v[lane] = uniform(words[2 * (i + lane) + 1]);
    store<double>(z, normal(load(u), load(v)));
    for (size_t lane = 0; lane < count; ++lane) y[i + lane] = x[i + lane] + static_cast<T>(std * z[lane]);
  }
}

template <class T>
constexpr NoiseKernels<T> make_noise() {
  return {.add_normal = add_normal<T>};
}

}  // namespace

constinit const NoiseKernels<float> noise_f32 = make_noise<float>();
constinit const NoiseKernels<double> noise_f64 = make_noise<double>();

}  // namespace nnext::kernels::NNEXT_ISA
