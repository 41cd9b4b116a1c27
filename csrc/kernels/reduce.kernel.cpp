// Sums over rows, and the count of values that are no numbers.
#include "kernels/parts.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// `Vectors` vectors of columns at once: additions take 4 cycles, so 4 or more chains must be under way to fill one
// port.
template <class T, int Vectors, class Last>
inline void sum_columns(size_t m, const T* x, ptrdiff_t x_row, T* sum, Last last) {
  Vec<T> acc[Vectors] = {};
  for (size_t i = 0; i < m; ++i, x += x_row) {
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v)
      acc[v] += v + 1 == Vectors ? load(last, x + v * kLanes<T>) : load(x + v * kLanes<T>);
  }
#pragma GCC unroll 8
  for (int v = 0; v + 1 < Vectors; ++v) store(sum + v * kLanes<T>, acc[v]);
  store(last, sum + (Vectors - 1) * kLanes<T>, acc[Vectors - 1]);
}

template <class T>
void column_sums(size_t m, size_t n, const T* x, ptrdiff_t x_row, T* sum) {
  constexpr size_t kWide = 8 * kLanes<T>;
  size_t j = 0;
  for (; j + kWide <= n; j += kWide) sum_columns<T, 8>(m, x + j, x_row, sum + j, Whole{});
  for_each_vector<T>(n - j, [&](size_t i, auto part) { sum_columns<T, 1>(m, x + j + i, x_row, sum + j + i, part); });
}

// NaN and infinity are the numbers with all exponent bits set.
template <class T>
size_t count_nonfinite(size_t n, const T* x) {
  constexpr Bits<T> kExponent = __builtin_bit_cast(Bits<T>, kInfinity<T>);
  constexpr size_t kBlock = size_t{1} << 20;  // elements that cannot overflow a lane's counter
  size_t count = 0;
  for (size_t start = 0; start < n; start += kBlock) {
    Int<T> found{};
    for_each_vector<T>(n - start < kBlock ? n - start : kBlock, [&](size_t i, auto part) {
      found -= (as_bits<T>(load(part, x + start + i)) & kExponent) == kExponent;  // true is -1
    });
    for (int lane = 0; lane < kLanes<T>; ++lane) count += static_cast<size_t>(found[lane]);
  }
  return count;
}

template <class T>
constexpr ReduceKernels<T> make_reduce() {
  return {.column_sums = column_sums<T>, .count_nonfinite = count_nonfinite<T>};
}

}  // namespace

constinit const ReduceKernels<float> reduce_f32 = make_reduce<float>();
constinit const ReduceKernels<double> reduce_f64 = make_reduce<double>();

}  // namespace nnext::kernels::NNEXT_ISA
