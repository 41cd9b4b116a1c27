// Transposing squares of numbers that lie in vectors.
#pragma once

#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// Lane l of the result is a[l], or b[l - Step] where bit Step of l is set; with kHigh a[l + Step], or b[l] there.
template <class T, int Step, bool kHigh>
inline Vec<T> interleave(Vec<T> a, Vec<T> b) {
  const auto source = [](int lane) {
    return lane & Step ? kLanes<T> + lane - (kHigh ? 0 : Step) : lane + (kHigh ? Step : 0);
  };
#if defined(__clang__)  // it has no __builtin_shuffle, and makes one shuffle of the loop
  Vec<T> mixed{};
  for (int lane = 0; lane < kLanes<T>; ++lane)
    mixed[lane] = source(lane) < kLanes<T> ? a[source(lane)] : b[source(lane) - kLanes<T>];
  return mixed;
#else
  Int<T> lanes{};
  for (int lane = 0; lane < kLanes<T>; ++lane) lanes[lane] = source(lane);
  return __builtin_shuffle(a, b, lanes);
#endif
}

// Transposes a square of kLanes x kLanes numbers: exchanges bit after bit of the row's number with the lane's.
template <class T, int Step = kLanes<T> / 2>
inline void transpose_square(Vec<T> (&row)[kLanes<T>]) {
  if constexpr (Step > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes<T>; ++i) {
      if ((i & Step) != 0) continue;
      const Vec<T> a = row[i], b = row[i + Step];
      row[i] = interleave<T, Step, false>(a, b);
      row[i + Step] = interleave<T, Step, true>(a, b);
    }
    transpose_square<T, Step / 2>(row);
  }
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
