// The products of a linear layer in training with operands rounded to bf16: its copies of the weights, and the calls.
#pragma once

#include <cstddef>

#include "nn/layer.h"
#include "ops/bf16.h"

namespace nnext::nn {

class LinearBf16 {
 public:
  using Panels = ops::Panels<const float>;

  // Rounding costs more than it saves where a product is narrower than two tiles.
  static constexpr Size kMinFeatures = 2 * kernels::kTileSide;
  static bool suits(const ops::PanelLayout& w) { return w.rows >= kMinFeatures && w.cols >= kMinFeatures; }

  // For weights that lie so: w[in, out].
  LinearBf16(const kernels::Bf16Kernels& kernels, const ops::PanelLayout& layout)
      : kernels_(kernels), layout_(layout) {}

  // Rows of a piece of a panel: a multiple, so that no tile is written by two members of the team.
  static constexpr Size kPieceRows = kernels::kTileDepth;

  void allocate(Packed wanted);
  void updated(Panels w, ops::PanelRows part, Packed packed);

  void forward(const runtime::Member& me, ConstMatrix<float> x, runtime::Range panels, const float* bias,
               Matrix<float> y) const;
  void backward(const runtime::Member& me, ConstMatrix<float> dy, Matrix<float> dx) const;
  // Both operands of the weight gradient for a batch of `rows` lie in scratch, rounded by all members together.
  Size scratch_bytes(Size rows) const { return (x_grid(rows).size() + dy_grid(rows).size()) * sizeof(ops::Bf16); }
  void prepare_gradient(const runtime::Member& me, ConstMatrix<float> x, ConstMatrix<float> dy,
                        std::byte* scratch) const;
  void gradient(Size rows, ops::PanelRows part, std::byte* scratch, float* dw, const kernels::Prefetch& prefetch) const;

 private:
  ops::TileGrid forward_grid() const { return {layout_.cols, layout_.rows}; }
  ops::TileGrid backward_grid() const { return {layout_.rows, layout_.cols}; }
  ops::TileGrid x_grid(Size rows) const { return {layout_.rows, rows}; }
  ops::TileGrid dy_grid(Size rows) const { return {layout_.panels() * layout_.width, rows}; }  // with the padding
  ops::Tiles<ops::Bf16> x_tiles(std::byte* scratch, Size rows) const {
    return {reinterpret_cast<ops::Bf16*>(scratch), x_grid(rows)};
  }
  ops::Tiles<ops::Bf16> dy_tiles(std::byte* scratch, Size rows) const {
    return {reinterpret_cast<ops::Bf16*>(scratch) + x_grid(rows).size(), dy_grid(rows)};
  }

  const kernels::Bf16Kernels& kernels_;
  ops::PanelLayout layout_;
  core::Buffer<ops::Bf16> forward_, backward_;  // w for y = x * w, and w^T for dx = dy * w^T
};

}  // namespace nnext::nn
