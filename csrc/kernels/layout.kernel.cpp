// Copies that change how a matrix lies: rows to other strides, rows to columns.
#include "kernels/parts.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T>
void copy(size_t rows, size_t cols, const T* from, ptrdiff_t from_row, T* to, ptrdiff_t to_row) {
  for (size_t i = 0; i < rows; ++i, from += from_row, to += to_row)
    for_each_vector<T>(cols, [&](size_t j, auto part) { store(part, to + j, load(part, from + j)); });
}

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

// to[j, i] = from[i, j] for `rows` x `cols` of at most kLanes each.
template <class T, class Rows, class Cols>
inline void transpose_block(int rows, int cols, Rows rows_part, Cols cols_part, const T* from, ptrdiff_t from_row,
                            T* to, ptrdiff_t to_row) {
  Vec<T> row[kLanes<T>];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes<T>; ++i) row[i] = i < rows ? load(cols_part, from + i * from_row) : Vec<T>{};
  transpose_square<T>(row);
#pragma GCC unroll 16
  for (int j = 0; j < kLanes<T>; ++j)
    if (j < cols) store(rows_part, to + j * to_row, row[j]);
}

template <class T>
void transpose(size_t rows, size_t cols, const T* from, ptrdiff_t from_row, T* to, ptrdiff_t to_row) {
  constexpr size_t kSide = kLanes<T>;
  for (size_t i = 0; i < rows; i += kSide)
    for (size_t j = 0; j < cols; j += kSide) {
      const T* source = from + static_cast<ptrdiff_t>(i) * from_row + j;
      T* target = to + static_cast<ptrdiff_t>(j) * to_row + i;
      if (i + kSide <= rows && j + kSide <= cols) {
        transpose_block<T>(kSide, kSide, Whole{}, Whole{}, source, from_row, target, to_row);
      } else {
        const int m = static_cast<int>(rows - i < kSide ? rows - i : kSide);
        const int n = static_cast<int>(cols - j < kSide ? cols - j : kSide);
        transpose_block<T>(m, n, Part<T>(m), Part<T>(n), source, from_row, target, to_row);
      }
    }
}

template <class T>
constexpr LayoutKernels<T> make_layout() {
  return {.copy = copy<T>, .transpose = transpose<T>};
}

}  // namespace

constinit const LayoutKernels<float> layout_f32 = make_layout<float>();
constinit const LayoutKernels<double> layout_f64 = make_layout<double>();

}  // namespace nnext::kernels::NNEXT_ISA
