// Sums over rows, and the count of values that are no numbers.
#include "kernels/parts.h"
#include "kernels/simd/over_rows.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T>
void column_sums(size_t m, size_t n, const T* x, ptrdiff_t x_row, const T* start, T* sum) {
  sum_over_rows<T, Vec<T>, 8>(
      m, n,
      [&](Vec<T>& total, size_t i, size_t j, auto part) {
        total += load(part, x + static_cast<ptrdiff_t>(i) * x_row + j);
      },
      [&](Vec<T> total, size_t j, auto part) { store(part, sum + j, total); },
      [&](size_t j, auto part) { return start == nullptr ? Vec<T>{} : load(part, start + j); });
}

// The compiler makes vectors of this loop, whose lanes change their width on the way.
template <class T>
void column_squares(size_t m, size_t n, const T* x, ptrdiff_t x_row, double* __restrict sum) {
  for (; m > 0; --m, x += x_row)
    for (size_t j = 0; j < n; ++j) sum[j] += static_cast<double>(x[j]) * static_cast<double>(x[j]);
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
  return {.column_sums = column_sums<T>, .column_squares = column_squares<T>, .count_nonfinite = count_nonfinite<T>};
}

}  // namespace

constinit const ReduceKernels<float> reduce_f32 = make_reduce<float>();
constinit const ReduceKernels<double> reduce_f64 = make_reduce<double>();

}  // namespace nnext::kernels::NNEXT_ISA
