// Products of numbers rounded to bf16 and summed in float32: what the kernels offer that some CPUs have for them.
//
// Operands lie in tiles of 16 x 32 numbers, 1 KB each, as AMX reads them, with zeros where the matrix ends:
//
//   left operand  a[m, k]: tile (i, s) holds a[16 i + r, 32 s + c] at [r][c]
//   right operand b[k, n]: tile (j, s) holds b[32 s + 2 p + q, 16 j + c] at [p][c][q], pairs of k together
//
// and tile (i, s) of an operand with S steps of k is number i * S + s. A left tile of a matrix, transposed as 16 x 16
// pairs, is the right tile of the transposed matrix.
//
// Kernels never check, allocate or throw; callers (csrc/ops) do. Rows of a matrix are `*_row` elements apart.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/prefetch.h"

namespace nnext::kernels {

using Bf16 = std::uint16_t;  // the upper half of a float32

inline constexpr std::size_t kTileSide = 16;   // rows of a left tile, columns of a right one
inline constexpr std::size_t kTileDepth = 32;  // steps of k
inline constexpr std::size_t kTileSize = kTileSide * kTileDepth;

// c[m, n] = init[m, n] + a[m, k] * b[k, n] with `steps` tiles of k. Each element is one chain over k in an order that
// depends on the kernels only, so the result does not depend on how the work is cut along m and n.
struct Bf16Product {
  std::size_t m, n, steps;
  const Bf16* a;
  std::size_t a_steps;  // of the whole operand, from one row of tiles to the next
  const Bf16* b;
  std::size_t b_steps;
  const float* init;  // null: zero
  std::ptrdiff_t init_row;
  float* c;
  std::ptrdiff_t c_row;
  Prefetch prefetch = {};
};

// x[rows, cols], rounded to nearest even, as tiles of an operand: `sides` x `steps` of them. Those beyond x are zeros.
struct Bf16Pack {
  std::size_t rows, cols;
  const float* x;
  std::ptrdiff_t x_row;
  std::size_t sides, steps;
  Bf16* to;
  std::size_t to_steps;  // of the whole operand
};

struct Bf16Kernels {
  const char* name;
  void (*multiply)(const Bf16Product&);
  using Pack = void (*)(const Bf16Pack&);
  Pack left;              // x as a left operand
  Pack left_transposed;   // x^T as one
  Pack right;             // x as a right operand
  Pack right_transposed;  // x^T as one
};

}  // namespace nnext::kernels
