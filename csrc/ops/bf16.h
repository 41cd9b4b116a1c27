// The affine map and its gradients with operands rounded to bf16, for any share of the rows or of the weights. Operands
// that serve several products are packed once; the rest is packed here, block by block, into L1.
#pragma once

#include "kernels/bf16/bf16_kernels.h"
#include "ops/panels.h"
#include "runtime/team.h"

namespace nnext::ops {

using kernels::Bf16;
using kernels::Bf16Kernels;

// How many tiles an operand has: along its side of the product, and along k.
struct TileGrid {
  Size sides = 0, steps = 0;

  TileGrid() = default;
  TileGrid(Size side, Size k)
      : sides(core::divide_up(side, kernels::kTileSide)), steps(core::divide_up(k, kernels::kTileDepth)) {}
  Size size() const { return core::checked_product(core::checked_product(sides, steps), kernels::kTileSize); }
  Size offset(Size side, Size step) const { return (side * steps + step) * kernels::kTileSize; }  // of a tile
};

template <class Number>
struct Tiles {
  Number* data;
  TileGrid grid;

  Number* tile(Size side, Size step = 0) const { return data + grid.offset(side, step); }
};

// y[m, cols] = x[m, k] * w[k, cols] + b for the columns [cols.begin, cols.end) of w, from a whole tile on; b may be
// null. y has all columns of w. Unfinished where `me` should stop.
void linear(const Bf16Kernels& kernels, const runtime::Member& me, ConstMatrix<float> x, Tiles<const Bf16> w,
            runtime::Range cols, const float* b, Matrix<float> y);

// The operands of dw = x^T * dy, rounded once for all pieces: columns `cols` of x and of dy, from a whole tile on, as
// rows of tiles of the left operand x^T, or of the right operand dy.
void pack_left_transposed(const Bf16Kernels& kernels, ConstMatrix<float> x, runtime::Range cols, Tiles<Bf16> to);
void pack_right(const Bf16Kernels& kernels, ConstMatrix<float> dy, runtime::Range cols, Tiles<Bf16> to);

// dw for a part of a panel, from a whole tile on, from these operands: in the panel's own layout, the padding zero.
void linear_weight_gradient(const Bf16Kernels& kernels, Tiles<const Bf16> x, Tiles<const Bf16> dy,
                            const PanelLayout& layout, PanelRows part, float* dw, const kernels::Prefetch& prefetch);

// A part of a panel of w, from a whole tile on, in its place of the right operand w, or of the right operand w^T.
void pack_weights(const Bf16Kernels& kernels, Panels<const float> w, PanelRows part, Tiles<Bf16> to);
void pack_transposed_weights(const Bf16Kernels& kernels, Panels<const float> w, PanelRows part, Tiles<Bf16> to);

}  // namespace nnext::ops
