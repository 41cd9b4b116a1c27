#include "ops/bf16.h"

namespace nnext::ops {

using kernels::kTileDepth;
using kernels::kTileSide;
using kernels::kTileSize;
using runtime::Member;
using runtime::Range;

namespace {

// The block of x that is packed at a time: 32 KB, two thirds of an L1 that has AMX.
constexpr Size kBlockSides = 2, kBlockSteps = 16;

}  // namespace

void linear(const Bf16Kernels& kernels, const Member& me, ConstMatrix<float> x, Tiles<const Bf16> w, Range cols,
            const float* b, Matrix<float> y) {
  alignas(core::kCacheLine) Bf16 block[kBlockSides * kBlockSteps * kTileSize];
  constexpr Size kRows = kBlockSides * kTileSide;
  for (Size i = 0; i < x.rows && !me.stop(); i += kRows) {
    const Size rows = std::min(kRows, x.rows - i);
    float* c = y.row(i) + cols.begin;
    for (Size step = 0; step < w.grid.steps; step += kBlockSteps) {
      const Size steps = std::min(kBlockSteps, w.grid.steps - step), k = step * kTileDepth;
      kernels.left({.rows = rows,
                    .cols = x.cols - k,
                    .x = x.row(i) + k,
                    .x_row = x.row_stride,
                    .sides = core::divide_up(rows, kTileSide),
                    .steps = steps,
                    .to = block,
                    .to_steps = steps});
      const bool first = step == 0;
      const float* bias = b == nullptr ? nullptr : b + cols.begin;
      kernels.multiply({.m = rows,
                        .n = cols.size(),
                        .steps = steps,
                        .a = block,
                        .a_steps = steps,
                        .b = w.tile(cols.begin / kTileSide, step),
                        .b_steps = w.grid.steps,
                        .init = first ? bias : c,
                        .init_row = first ? 0 : y.row_stride,
                        .c = c,
                        .c_row = y.row_stride});
    }
  }
}

namespace {

// Columns `cols` of x as whole rows of tiles of an operand with k along the rows of x.
void pack_columns(Bf16Kernels::Pack pack, ConstMatrix<float> x, Range cols, Tiles<Bf16> to) {
  if (cols.size() == 0) return;
  const Size cut = std::min(cols.begin, x.cols);  // beyond x there is padding only
  pack({.rows = x.rows,
        .cols = x.cols - cut,
        .x = x.data + cut,
        .x_row = x.row_stride,
        .sides = core::divide_up(cols.size(), kTileSide),
        .steps = to.grid.steps,
        .to = to.tile(cols.begin / kTileSide),
        .to_steps = to.grid.steps});
}

}  // namespace

void pack_left_transposed(const Bf16Kernels& kernels, ConstMatrix<float> x, Range cols, Tiles<Bf16> to) {
  pack_columns(kernels.left_transposed, x, cols, to);
}

void pack_right(const Bf16Kernels& kernels, ConstMatrix<float> dy, Range cols, Tiles<Bf16> to) {
  pack_columns(kernels.right, dy, cols, to);
}

void linear_weight_gradient(const Bf16Kernels& kernels, Tiles<const Bf16> x, Tiles<const Bf16> dy,
                            const PanelLayout& layout, PanelRows part, float* dw, const kernels::Prefetch& prefetch) {
  kernels.multiply({.m = part.count,
                    .n = layout.width,
                    .steps = x.grid.steps,
                    .a = x.tile(part.first / kTileSide),
                    .a_steps = x.grid.steps,
                    .b = dy.tile(part.panel * layout.width / kTileSide),
                    .b_steps = dy.grid.steps,
                    .init = nullptr,
                    .init_row = 0,
                    .c = dw,
                    .c_row = static_cast<Stride>(layout.width),
                    .prefetch = prefetch});
}

namespace {

// The part as `tiles` of an operand, from its tile `first` on.
kernels::Bf16Pack part_of(Panels<const float> w, PanelRows part, TileGrid tiles, Tiles<Bf16> to, Bf16* first) {
  return {.rows = part.count,
          .cols = w.layout.panel_cols(part.panel),
          .x = w.panel(part.panel) + part.first * w.layout.width,
          .x_row = static_cast<Stride>(w.layout.width),
          .sides = tiles.sides,
          .steps = tiles.steps,
          .to = first,
          .to_steps = to.grid.steps};
}

}  // namespace

void pack_weights(const Bf16Kernels& kernels, Panels<const float> w, PanelRows part, Tiles<Bf16> to) {
  const Size col = part.panel * w.layout.width;
  kernels.right(part_of(w, part, {w.layout.panel_cols(part.panel), part.count}, to,
                        to.tile(col / kTileSide, part.first / kTileDepth)));
}

void pack_transposed_weights(const Bf16Kernels& kernels, Panels<const float> w, PanelRows part, Tiles<Bf16> to) {
  const Size col = part.panel * w.layout.width;
  kernels.right_transposed(part_of(w, part, {part.count, w.layout.panel_cols(part.panel)}, to,
                                   to.tile(part.first / kTileSide, col / kTileDepth)));
}

}  // namespace nnext::ops
