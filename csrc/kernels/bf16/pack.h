// Matrices of float32 to operands in tiles of bf16, for every bf16 kernel source: VCVTNE2PS2BF16 rounds to nearest even
// and takes subnormal numbers as zero; NaN stays NaN.
#pragma once

#include "kernels/bf16/bf16_kernels.h"
#include "kernels/simd/ask_for.h"
#include "kernels/simd/transpose.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// Pairs of bf16, 16 of them, as the numbers that transpose_square() takes.
inline VecF round_to_pairs(VecF low, VecF high) {
  return (VecF)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);  // the 16 of low, then those of high
}

inline VecF first_of(size_t count, const float* x) {  // of up to 16 numbers, zeros behind them
  return load(Part<float>(static_cast<int>(count < kTileSide ? count : kTileSide)), x);
}

inline size_t left_of(size_t all, size_t done) { return all > done ? all - done : 0; }

// What a product asks for before each of its blocks, of so many rows and two tiles' columns of c.
class PrefetchByBlocks {
 public:
  PrefetchByBlocks(const Bf16Product& p, size_t rows)
      : prefetch_(p.prefetch), blocks_((p.m + rows - 1) / rows * ((p.n + 2 * kTileSide - 1) / (2 * kTileSide))) {}
  void next() {
    ask_for(prefetch_, done_, done_ + 1, blocks_);
    ++done_;
  }

 private:
  const Prefetch& prefetch_;
  size_t blocks_, done_ = 0;
};

// The tile of x[rows, cols] with k along the columns: row r is 32 numbers of x's row r.
struct AlongColumns {
  static constexpr size_t kRows = kTileSide, kCols = kTileDepth;
  static VecF line(int r, size_t rows, size_t cols, const float* x, ptrdiff_t x_row) {
    if (static_cast<size_t>(r) >= rows) return VecF{};
    const float* row = x + r * x_row;
    return round_to_pairs(first_of(cols, row), first_of(left_of(cols, kTileSide), row + kTileSide));
  }
};

// With k along the rows: line p is 16 numbers of row 2 p, each beside the one of row 2 p + 1.
struct AlongRows {
  static constexpr size_t kRows = kTileDepth, kCols = kTileSide;
  static VecF line(int p, size_t rows, size_t cols, const float* x, ptrdiff_t x_row) {
    const size_t row = 2 * static_cast<size_t>(p);
    if (row >= rows) return VecF{};
    const float* even = x + static_cast<ptrdiff_t>(row) * x_row;
    const VecF two = round_to_pairs(first_of(cols, even), row + 1 < rows ? first_of(cols, even + x_row) : VecF{});
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return (VecF)_mm512_permutexvar_epi16(order, (__m512i)two);
  }
};

template <class Lines, bool kTransposed>
inline void pack_tile(size_t rows, size_t cols, const float* x, ptrdiff_t x_row, Bf16* to) {
  VecF line[kTileSide];
#pragma GCC unroll 16
  for (int i = 0; i < static_cast<int>(kTileSide); ++i) line[i] = Lines::line(i, rows, cols, x, x_row);
  if constexpr (kTransposed) transpose_square<float>(line);
#pragma GCC unroll 16
  for (size_t i = 0; i < kTileSide; ++i) __builtin_memcpy(to + i * kTileDepth, &line[i], sizeof line[i]);
}

template <class Lines, bool kTransposed>
void pack(const Bf16Pack& p) {
  constexpr bool kRowsAreSides = Lines::kRows == kTileSide;
  for (size_t side = 0; side < p.sides; ++side)
    for (size_t step = 0; step < p.steps; ++step) {
      const size_t row = (kRowsAreSides ? side : step) * Lines::kRows,
                   col = (kRowsAreSides ? step : side) * Lines::kCols;
      pack_tile<Lines, kTransposed>(left_of(p.rows, row), left_of(p.cols, col),
                                    p.x + static_cast<ptrdiff_t>(row) * p.x_row + col, p.x_row,
                                    p.to + (side * p.to_steps + step) * kTileSize);
    }
}

constexpr Bf16Kernels make_bf16(const char* name, void (*multiply)(const Bf16Product&)) {
  return {.name = name,
          .multiply = multiply,
          .left = pack<AlongColumns, false>,
          .left_transposed = pack<AlongRows, true>,
          .right = pack<AlongRows, false>,
          .right_transposed = pack<AlongColumns, true>};
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
