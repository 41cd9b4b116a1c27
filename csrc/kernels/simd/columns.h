// Short rows, kLanes of them at once: the lanes run over the rows, so what reduces a row is plain arithmetic of
// vectors.
//
// A row of ten on its own leaves lanes idle, and its maximum, its sum and what depends on them wait for each other. The
// folds are those of simd/lanes.h, pair for pair: the same bits.
#pragma once

#include "kernels/simd/lanes.h"
#include "kernels/simd/transpose.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// Columns of `rows` <= kLanes rows of n <= kGroup numbers that lie without gaps.
template <class T>
struct Columns {
  Vec<T> at[kGroup<T>];

  Columns() = default;
  Columns(int rows, size_t n, const T* x) {
    for (size_t first = 0; first < n; first += kLanes<T>) {
      const Part<T> part(columns_from(first, n));
      Vec<T> square[kLanes<T>];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes<T>; ++i) square[i] = i < rows ? load(part, x + i * n + first) : Vec<T>{};
      transpose_square<T>(square);
#pragma GCC unroll 16
      for (int j = 0; j < kLanes<T>; ++j) at[first + j] = square[j];
    }
  }
  void store_rows(int rows, size_t n, T* x) const {
    for (size_t first = 0; first < n; first += kLanes<T>) {
      const Part<T> part(columns_from(first, n));
      Vec<T> square[kLanes<T>];
#pragma GCC unroll 16
      for (int j = 0; j < kLanes<T>; ++j) square[j] = at[first + j];
      transpose_square<T>(square);
#pragma GCC unroll 16
      for (int i = 0; i < kLanes<T>; ++i)
        if (i < rows) store(part, x + i * n + first, square[i]);
    }
  }

 private:
  static int columns_from(size_t first, size_t n) {
    return static_cast<int>(n - first < kLanes<T> ? n - first : kLanes<T>);
  }
};

// What reduce_row gives for each row: fold over j < n <= kGroup of the columns term(j).
template <class T, class Fold, class Term>
inline Vec<T> reduce_columns(size_t n, T identity, Fold fold, Term term) {
  Vec<T> lanes[kGroup<T>];
  lanes[0] = broadcast(identity);
  for (size_t j = 0; j < n; ++j) lanes[j] = fold(broadcast(identity), term(j));
  for (size_t half = kGroup<T> / 2; half > 0; half /= 2)
    for (size_t j = 0; j < half && j + half < n; ++j) lanes[j] = fold(lanes[j], lanes[j + half]);
  return lanes[0];
}

template <class T, class Term>
inline Vec<T> sum_of_columns(size_t n, Term term) {
  return reduce_columns<T>(n, T(0), add<T>, term);
}
template <class T>
inline Vec<T> max_of_columns(size_t n, const Columns<T>& x) {
  return reduce_columns<T>(n, -kInfinity<T>, larger<T>, [&](size_t j) { return x.at[j]; });
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
