// Any CPU. There may be no FMA in hardware, so multiply and add round twice: baseline has bits of its own.
#pragma once

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
  constexpr std::uint64_t kLower = 0xFFFFFFFF;
  return (a & kLower) * (b & kLower);
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
