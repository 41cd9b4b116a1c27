// NEON of aarch64: FMA in hardware, no masked loads.
#pragma once

#include <arm_neon.h>

#include "kernels/simd/part_by_lane.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

inline constexpr bool kFlushSubnormals = true;

inline VecF fma(VecF a, VecF b, VecF c) { return (VecF)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
inline VecD fma(VecD a, VecD b, VecD c) { return (VecD)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b); }
inline VecF sqrt(VecF a) { return (VecF)vsqrtq_f32((float32x4_t)a); }
inline VecD sqrt(VecD a) { return (VecD)vsqrtq_f64((float64x2_t)a); }

inline VecU product_of_lower_halves(VecU a, VecU b) {
  return (VecU)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
