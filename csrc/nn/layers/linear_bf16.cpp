#include "nn/layers/linear_bf16.h"

namespace nnext::nn {

void LinearBf16::allocate(Packed wanted) {
  const auto make = [](core::Buffer<ops::Bf16>& copy, const ops::TileGrid& grid) {
    if (copy.size() == 0) copy = core::Buffer<ops::Bf16>(grid.size());
  };
  if (wanted >= Packed::forward) make(forward_, forward_grid());
  if (wanted >= Packed::all) make(backward_, backward_grid());
}

void LinearBf16::updated(Panels w, ops::PanelRows part, Packed packed) {
  if (packed >= Packed::forward) ops::pack_weights(kernels_, w, part, {forward_.data(), forward_grid()});
  if (packed >= Packed::all) ops::pack_transposed_weights(kernels_, w, part, {backward_.data(), backward_grid()});
}

void LinearBf16::forward(const runtime::Member& me, ConstMatrix<float> x, runtime::Range panels, const float* bias,
                         Matrix<float> y) const {
  const Size width = layout_.width;
  ops::linear(kernels_, me, x, {forward_.data(), forward_grid()},
              {panels.begin * width, std::min(panels.end * width, layout_.cols)}, bias, y);
}

void LinearBf16::backward(const runtime::Member& me, ConstMatrix<float> dy, Matrix<float> dx) const {
  ops::linear(kernels_, me, dy, {backward_.data(), backward_grid()}, {0, layout_.rows}, nullptr, dx);
}

void LinearBf16::prepare_gradient(const runtime::Member& me, ConstMatrix<float> x, ConstMatrix<float> dy,
                                  std::byte* scratch) const {
  ops::pack_left_transposed(kernels_, x, me.share(layout_.rows, kernels::kTileSide), x_tiles(scratch, x.rows));
  ops::pack_right(kernels_, dy, me.share(layout_.panels() * layout_.width, kernels::kTileSide),
                  dy_tiles(scratch, x.rows));
}

void LinearBf16::gradient(Size rows, ops::PanelRows part, std::byte* scratch, float* dw,
                          const kernels::Prefetch& prefetch) const {
  const ops::Tiles<ops::Bf16> x = x_tiles(scratch, rows), dy = dy_tiles(scratch, rows);
  ops::linear_weight_gradient(kernels_, {x.data, x.grid}, {dy.data, dy.grid}, layout_, part, dw, prefetch);
}

}  // namespace nnext::nn
