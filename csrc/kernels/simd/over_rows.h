// Sums over rows, column by column. Each is one chain over the rows in increasing order, so the width of a vector
// cannot show, nor can columns that are shared out.
#pragma once

#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// kVectors vectors of columns from j on, the last one maybe partial.
template <class Sum, int kVectors, class T, class Last, class Add, class Finish, class Begin>
inline void sum_block_over_rows(size_t m, size_t j, Last last, Add add, Finish finish, Begin begin) {
  constexpr int kLast = kVectors - 1;
  Sum sums[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kLast; ++v) sums[v] = begin(j + v * kLanes<T>, Whole{});
  sums[kLast] = begin(j + kLast * kLanes<T>, last);
  for (size_t i = 0; i < m; ++i) {
#pragma GCC unroll 8
    for (int v = 0; v < kLast; ++v) add(sums[v], i, j + v * kLanes<T>, Whole{});
    add(sums[kLast], i, j + kLast * kLanes<T>, last);
  }
#pragma GCC unroll 8
  for (int v = 0; v < kLast; ++v) finish(sums[v], j + v * kLanes<T>, Whole{});
  finish(sums[kLast], j + kLast * kLanes<T>, last);
}

template <class Sum>
struct FromZero {
  template <class Part>
  Sum operator()(size_t, Part) const {
    return Sum{};
  }
};

// For n columns of m rows: add(sum, i, j, part) takes row i's columns from j on into the `Sum` that begin(j, part)
// gives, and finish(sum, j, part) has them all. kVectors at once: additions take 4 cycles, so 4 or more chains must be
// under way to fill one port.
template <class T, class Sum, int kVectors, class Add, class Finish, class Begin = FromZero<Sum>>
inline void sum_over_rows(size_t m, size_t n, Add add, Finish finish, Begin begin = {}) {
  constexpr size_t kWide = kVectors * kLanes<T>;
  size_t j = 0;
  for (; j + kWide <= n; j += kWide) sum_block_over_rows<Sum, kVectors, T>(m, j, Whole{}, add, finish, begin);
  for_each_vector<T>(n - j,
                     [&](size_t i, auto part) { sum_block_over_rows<Sum, 1, T>(m, j + i, part, add, finish, begin); });
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
