// Reductions along a row, with the same bits whatever the vector width.
//
// A row is read in groups of 64 bytes; element i of a group goes to virtual lane i, and the lanes are folded by halves:
// lane l with lane l + count / 2. A group is 1 vector of avx512, 2 of avx2, 4 of neon and baseline.
#pragma once

#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

inline constexpr int kGroupVectors = 64 / NNEXT_VECTOR_BYTES;
template <class T>
inline constexpr int kGroup = kGroupVectors * kLanes<T>;

// Lane l of the result is lane l ^ Step of v.
template <class T, int Step>
inline Vec<T> exchange(Vec<T> v) {
#if defined(__clang__)  // it has no __builtin_shuffle, and makes one shuffle of the loop
  Vec<T> exchanged = v;
  for (int lane = 0; lane < kLanes<T>; ++lane) exchanged[lane] = v[lane ^ Step];
  return exchanged;
#else
  Int<T> lanes{};
  for (int lane = 0; lane < kLanes<T>; ++lane) lanes[lane] = lane ^ Step;
  return __builtin_shuffle(v, lanes);
#endif
}
template <class T, int Step, class Fold>
inline T fold_lanes(Vec<T> v, Fold fold) {
  if constexpr (Step == 0)
    return v[0];
  else
    return fold_lanes<T, Step / 2>(fold(v, exchange<T, Step>(v)), fold);
}

// fold over i < n of term(i, part), a vector of terms from i on; `fold` commutes and fold(x, identity) == x.
template <class T, class Fold, class Term>
inline T reduce_row(size_t n, T identity, Fold fold, Term term) {
  Vec<T> lanes[kGroupVectors];
#pragma GCC unroll 4
  for (Vec<T>& lane : lanes) lane = broadcast(identity);
  size_t i = 0;
  for (; i + kGroup<T> <= n; i += kGroup<T>) {
#pragma GCC unroll 4
    for (int v = 0; v < kGroupVectors; ++v) lanes[v] = fold(lanes[v], term(i + v * kLanes<T>, Whole{}));
  }
#pragma GCC unroll 4
  for (int v = 0; v < kGroupVectors; ++v, i += kLanes<T>) {
    if (i + kLanes<T> <= n) {
      lanes[v] = fold(lanes[v], term(i, Whole{}));
    } else if (i < n) {
      const Part<T> part(static_cast<int>(n - i));
      lanes[v] = fold(lanes[v], keep(part, term(i, part), broadcast(identity)));
    }
  }
#pragma GCC unroll 4
  for (int half = kGroupVectors / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
    for (int v = 0; v < half; ++v) lanes[v] = fold(lanes[v], lanes[v + half]);
  }
  return fold_lanes<T, kLanes<T> / 2>(lanes[0], fold);
}

template <class T>
inline Vec<T> add(Vec<T> a, Vec<T> b) {
  return a + b;
}
// NaN is passed over: a largest value serves to scale the row, and the NaN shows in what is scaled.
template <class T>
inline Vec<T> larger(Vec<T> a, Vec<T> b) {
  return select<T>(b > a, b, a);
}

template <class T, class Term>
inline T sum_of_row(size_t n, Term term) {
  return reduce_row<T>(n, T(0), add<T>, term);
}
template <class T>
inline T max_of_row(size_t n, const T* x) {
  return reduce_row<T>(n, -kInfinity<T>, larger<T>, [&](size_t i, auto part) { return load(part, x + i); });
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
