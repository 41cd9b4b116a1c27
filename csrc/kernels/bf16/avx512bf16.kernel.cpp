// The product of bf16 tiles by AVX512-BF16: VDPBF16PS adds the products of 16 pairs to 16 sums.
//
// 8 rows x 2 vectors of sums stay in registers; 10 loads feed 16 products, each a chain of
// its own, which hides their latency.
#include "kernels/bf16/pack.h"

namespace nnext::kernels::NNEXT_ISA {
extern const Bf16Kernels bf16;
namespace {

constexpr size_t kRows = 8;
static_assert(kTileSide % kRows == 0);

inline VecF add_products(VecF sum, VecF a_pairs, VecF b_pairs) {
  return (VecF)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a_pairs, (__m512bh)b_pairs);
}

// Eight rows from i on, columns from j on. All rows of a tile are there to be read; c has `rows` of them.
template <int Cols>
void multiply_rows(const Bf16Product& p, size_t i, size_t j) {
  const size_t rows = p.m - i < kRows ? p.m - i : kRows;
  VecF sum[kRows][Cols];
  for (size_t r = 0; r < kRows; ++r)
    for (size_t v = 0; v < Cols; ++v) {
      const size_t col = j + v * kTileSide;
      sum[r][v] = p.init == nullptr || r >= rows
                      ? VecF{}
                      : first_of(p.n - col, p.init + static_cast<ptrdiff_t>(i + r) * p.init_row + col);
    }
  const Bf16* a = p.a + i / kTileSide * p.a_steps * kTileSize + i % kTileSide * kTileDepth;
  const Bf16* b = p.b + j / kTileSide * p.b_steps * kTileSize;
  for (size_t step = 0; step < p.steps; ++step, a += kTileSize, b += kTileSize)
    for (size_t pair = 0; pair < kTileDepth / 2; ++pair) {
      VecF b_pairs[Cols];
#pragma GCC unroll 2
      for (size_t v = 0; v < Cols; ++v)
        __builtin_memcpy(&b_pairs[v], b + v * p.b_steps * kTileSize + pair * kTileDepth, sizeof b_pairs[v]);
#pragma GCC unroll 8
      for (size_t r = 0; r < kRows; ++r) {
        float a_pair;
        __builtin_memcpy(&a_pair, a + r * kTileDepth + 2 * pair, sizeof a_pair);
        const VecF a_pairs = (VecF)_mm512_set1_ps(a_pair);
#pragma GCC unroll 2
        for (size_t v = 0; v < Cols; ++v) sum[r][v] = add_products(sum[r][v], a_pairs, b_pairs[v]);
      }
    }
  for (size_t r = 0; r < rows; ++r)
    for (size_t v = 0; v < Cols; ++v) {
      const size_t col = j + v * kTileSide, cols = p.n - col;
      store(Part<float>(static_cast<int>(cols < kTileSide ? cols : kTileSide)),
            p.c + static_cast<ptrdiff_t>(i + r) * p.c_row + col, sum[r][v]);
    }
}

void multiply(const Bf16Product& p) {
  PrefetchByBlocks prefetch(p, kRows);
  for (size_t j = 0; j < p.n; j += 2 * kTileSide)
    for (size_t i = 0; i < p.m; i += kRows) {
      prefetch.next();
      if (p.n - j > kTileSide)
        multiply_rows<2>(p, i, j);
      else
        multiply_rows<1>(p, i, j);
    }
}

}  // namespace

constinit const Bf16Kernels bf16 = make_bf16("avx512bf16", multiply);

}  // namespace nnext::kernels::NNEXT_ISA
