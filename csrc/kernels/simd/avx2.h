// AVX2 with FMA: partial vectors by vmaskmov.
#pragma once

#include <immintrin.h>

namespace nnext::kernels::NNEXT_ISA {
namespace {

inline constexpr bool kFlushSubnormals = true;

inline VecF fma(VecF a, VecF b, VecF c) { return (VecF)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
inline VecD fma(VecD a, VecD b, VecD c) { return (VecD)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c); }
inline VecF sqrt(VecF a) { return (VecF)_mm256_sqrt_ps((__m256)a); }
inline VecD sqrt(VecD a) { return (VecD)_mm256_sqrt_pd((__m256d)a); }

inline VecU product_of_lower_halves(VecU a, VecU b) { return (VecU)_mm256_mul_epu32((__m256i)a, (__m256i)b); }

// The first `count` lanes of a vector, 0 <= count <= kLanes<T>.
template <class T>
struct Part;
template <>
struct Part<float> {
  __m256i mask;
  explicit Part(int count)
      : mask(_mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))) {}
};
template <>
struct Part<double> {
  __m256i mask;
  explicit Part(int count) : mask(_mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3))) {}
};

// Lanes outside the part read as zero, and their memory is not touched.
inline VecF load(Part<float> part, const float* p) { return (VecF)_mm256_maskload_ps(p, part.mask); }
inline VecD load(Part<double> part, const double* p) { return (VecD)_mm256_maskload_pd(p, part.mask); }
inline void store(Part<float> part, float* p, VecF v) { _mm256_maskstore_ps(p, part.mask, (__m256)v); }
inline void store(Part<double> part, double* p, VecD v) { _mm256_maskstore_pd(p, part.mask, (__m256d)v); }
// v in the lanes of the part, `other` outside.
inline VecF keep(Part<float> part, VecF v, VecF other) {
  return (VecF)_mm256_blendv_ps((__m256)other, (__m256)v, (__m256)part.mask);
}
inline VecD keep(Part<double> part, VecD v, VecD other) {
  return (VecD)_mm256_blendv_pd((__m256d)other, (__m256d)v, (__m256d)part.mask);
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
