// Any CPU. There may be no FMA in hardware, so multiply and add round twice: baseline has bits of its own.
#pragma once

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "kernels/simd/part_by_lane.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

inline constexpr bool kFlushSubnormals = false;  // not every CPU can: baseline has the bits of any portable build

inline VecF fma(VecF a, VecF b, VecF c) { return a * b + c; }
inline VecD fma(VecD a, VecD b, VecD c) { return a * b + c; }
inline VecF sqrt(VecF a) {
  for (int i = 0; i < kLanes<float>; ++i) a[i] = __builtin_sqrtf(a[i]);
  return a;
}
inline VecD sqrt(VecD a) {
  for (int i = 0; i < kLanes<double>; ++i) a[i] = __builtin_sqrt(a[i]);
  return a;
}

inline VecU product_of_lower_halves(VecU a, VecU b) {
#if defined(__SSE2__)  // its instruction for this, where GCC makes shifts and sums of the product below
  return (VecU)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  constexpr std::uint64_t kLower = 0xFFFFFFFF;
  return (a & kLower) * (b & kLower);
#endif
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
