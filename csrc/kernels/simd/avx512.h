// AVX-512 (F, BW, DQ, VL): partial vectors by mask registers.
#pragma once

#include <immintrin.h>

namespace nnext::kernels::NNEXT_ISA {
namespace {

inline constexpr bool kFlushSubnormals = true;

inline VecF fma(VecF a, VecF b, VecF c) { return (VecF)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
inline VecD fma(VecD a, VecD b, VecD c) { return (VecD)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c); }
// With a mask of ones: GCC 12 warns of its own _mm512_sqrt_ps (gcc.gnu.org/PR105593), and so below.
inline VecF sqrt(VecF a) { return (VecF)_mm512_maskz_sqrt_ps(0xffff, (__m512)a); }
inline VecD sqrt(VecD a) { return (VecD)_mm512_maskz_sqrt_pd(0xff, (__m512d)a); }

inline VecU product_of_lower_halves(VecU a, VecU b) {
  return (VecU)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b);
}

// The first `count` lanes of a vector, 0 <= count <= kLanes<T>.
template <class T>
struct Part;
template <>
struct Part<float> {
  __mmask16 mask;
  explicit Part(int count) : mask(static_cast<__mmask16>((1u << count) - 1u)) {}
};
template <>
struct Part<double> {
  __mmask8 mask;
  explicit Part(int count) : mask(static_cast<__mmask8>((1u << count) - 1u)) {}
};

// Lanes outside the part read as zero, and their memory is not touched.
inline VecF load(Part<float> part, const float* p) { return (VecF)_mm512_maskz_loadu_ps(part.mask, p); }
inline VecD load(Part<double> part, const double* p) { return (VecD)_mm512_maskz_loadu_pd(part.mask, p); }
inline void store(Part<float> part, float* p, VecF v) { _mm512_mask_storeu_ps(p, part.mask, (__m512)v); }
inline void store(Part<double> part, double* p, VecD v) { _mm512_mask_storeu_pd(p, part.mask, (__m512d)v); }
// v in the lanes of the part, `other` outside.
inline VecF keep(Part<float> part, VecF v, VecF other) {
  return (VecF)_mm512_mask_mov_ps((__m512)other, part.mask, (__m512)v);
}
inline VecD keep(Part<double> part, VecD v, VecD other) {
  return (VecD)_mm512_mask_mov_pd((__m512d)other, part.mask, (__m512d)v);
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
