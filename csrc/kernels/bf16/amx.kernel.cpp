// The product of bf16 tiles by AMX: TDPBF16PS multiplies a left tile with a right one in 16 cycles.
//
// 2 x 2 tiles of c stay in registers; 4 loads of operands feed 4 products. The tiles are configured and released in
// every call: 0.1 us, and the thread is left without the 8 KB of state that switches to other threads would carry.
#include <immintrin.h>

#include "kernels/bf16/pack.h"

namespace nnext::kernels::NNEXT_ISA {
extern const Bf16Kernels bf16;
namespace {

constexpr ptrdiff_t kRowBytes = 64;  // of a tile

struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfig kTiles;
alignas(64) constexpr float kZeros[kTileSide] = {};

// Where the 16 x 16 numbers of a tile of c are read from or written to. At the edges of c it is a copy of its own.
struct TileOfC {
  alignas(64) float edge[kTileSide * kTileSide];
  size_t rows, cols;
  const Bf16Product& p;
  float* c;
  const float* init;
  ptrdiff_t init_row;

  TileOfC(const Bf16Product& product, size_t i, size_t j)
      : rows(left_of(product.m, i)),
        cols(left_of(product.n, j)),
        p(product),
        c(p.c + static_cast<ptrdiff_t>(i) * p.c_row + j),
        init(p.init == nullptr ? kZeros : p.init + static_cast<ptrdiff_t>(i) * p.init_row + j),
        init_row(p.init == nullptr ? 0 : p.init_row) {
    if (whole() || p.init == nullptr) return;
    for (size_t r = 0; r < kTileSide && r < rows; ++r)
      store(edge + r * kTileSide, first_of(cols, init + static_cast<ptrdiff_t>(r) * init_row));
    init = edge;
    init_row = kTileSide;
    __asm__ volatile("" ::: "memory");  // GCC's _tile_loadd does not say that it reads memory
  }
  bool whole() const { return rows >= kTileSide && cols >= kTileSide; }
  ptrdiff_t init_bytes() const { return init_row * static_cast<ptrdiff_t>(sizeof(float)); }
  float* target() { return whole() ? c : edge; }
  ptrdiff_t target_bytes() const { return (whole() ? p.c_row : ptrdiff_t{kTileSide}) * ptrdiff_t{sizeof(float)}; }
  void finish() const {
    if (whole()) return;
    const Part<float> part(static_cast<int>(cols < kTileSide ? cols : kTileSide));
    for (size_t r = 0; r < kTileSide && r < rows; ++r)
      store(part, c + static_cast<ptrdiff_t>(r) * p.c_row, load(edge + r * kTileSide));
  }
};

// Tiles (i, j) of c and, as far as Rows and Cols say so, their neighbours. The intrinsics take tile numbers as
// literals: 0 to 3 are c, 4 and 5 the left operand, 6 and 7 the right one.
template <int Rows, int Cols>
void multiply_tiles(const Bf16Product& p, size_t i, size_t j) {
  TileOfC c00(p, i, j), c01(p, i, j + kTileSide), c10(p, i + kTileSide, j), c11(p, i + kTileSide, j + kTileSide);
  _tile_loadd(0, c00.init, c00.init_bytes());
  if constexpr (Cols > 1) _tile_loadd(1, c01.init, c01.init_bytes());
  if constexpr (Rows > 1) _tile_loadd(2, c10.init, c10.init_bytes());
  if constexpr (Rows > 1 && Cols > 1) _tile_loadd(3, c11.init, c11.init_bytes());
  const Bf16 *a = p.a + i / kTileSide * p.a_steps * kTileSize, *b = p.b + j / kTileSide * p.b_steps * kTileSize;
  const size_t a_next = p.a_steps * kTileSize, b_next = p.b_steps * kTileSize;
  for (size_t step = 0; step < p.steps; ++step, a += kTileSize, b += kTileSize) {
    _tile_loadd(4, a, kRowBytes);
    _tile_loadd(6, b, kRowBytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (Cols > 1) {
      _tile_loadd(7, b + b_next, kRowBytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (Rows > 1) {
      _tile_loadd(5, a + a_next, kRowBytes);
      _tile_dpbf16ps(2, 5, 6);
    }
    if constexpr (Rows > 1 && Cols > 1) _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c00.target(), c00.target_bytes());
  c00.finish();
  if constexpr (Cols > 1) {
    _tile_stored(1, c01.target(), c01.target_bytes());
    c01.finish();
  }
  if constexpr (Rows > 1) {
    _tile_stored(2, c10.target(), c10.target_bytes());
    c10.finish();
  }
  if constexpr (Rows > 1 && Cols > 1) {
    _tile_stored(3, c11.target(), c11.target_bytes());
    c11.finish();
  }
}

template <int Cols>
void multiply_columns(const Bf16Product& p, size_t j, PrefetchByBlocks& prefetch) {
  for (size_t i = 0; i < p.m; i += 2 * kTileSide) {
    prefetch.next();
    if (p.m - i > kTileSide)
      multiply_tiles<2, Cols>(p, i, j);
    else
      multiply_tiles<1, Cols>(p, i, j);
  }
}

// Columns in the outer loop: callers give few rows, whose tiles stay in L1 while those of b come from L2.
void multiply(const Bf16Product& p) {
  __asm__ volatile("" ::: "memory");
  _tile_loadconfig(&kTiles);
  PrefetchByBlocks prefetch(p, 2 * kTileSide);
  for (size_t j = 0; j < p.n; j += 2 * kTileSide) {
    if (p.n - j > kTileSide)
      multiply_columns<2>(p, j, prefetch);
    else
      multiply_columns<1>(p, j, prefetch);
  }
  _tile_release();
}

}  // namespace

constinit const Bf16Kernels bf16 = make_bf16("amx", multiply);

}  // namespace nnext::kernels::NNEXT_ISA
