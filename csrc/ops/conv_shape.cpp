#include "ops/conv_shape.h"

#include <algorithm>

namespace nnext::ops {
namespace {

// A 1 x 1 window without zeros that goes everywhere sees an image as one line.
bool is_pointwise(const ConvAxis& axis) {
  return axis.kernel == 1 && axis.stride == 1 && axis.before == 0 && axis.after == 0;
}

}  // namespace

ConvShape::ConvShape(const ConvAxis& h_, const ConvAxis& w_, Size in_channels_, Size out_channels_, Size groups_)
    : h(h_), w(w_), in_channels(in_channels_), out_channels(out_channels_), groups(groups_) {
  if (is_pointwise(h) && is_pointwise(w)) w = {w, h.in * w.in}, h = {h, 1};
}

double ConvShape::flops() const {
  return 2 * static_cast<double>(out_numbers()) * static_cast<double>(h.kernel * w.kernel * group_in());
}

template <class T>
ConvLayout<T>::ConvLayout(const KernelTable<T>& kernels, const ConvShape& shape)
    : kernel_h(shape.h.kernel),
      kernel_w(shape.w.kernel),
      groups(shape.groups),
      weights(kernels, core::checked_product(kernel_h * kernel_w, shape.group_in()), shape.group_out()),
      transposed(kernels, core::checked_product(kernel_h * kernel_w, shape.group_out()), shape.group_in()) {}

template <class T>
PanelRows ConvLayout<T>::panel_rows(Size offset, Size count) const {
  const Size row = offset / weights.width;
  return {row / weights.rows, row % weights.rows, count / weights.width};
}

// The channels of each tap in the part become columns, where the taps of a line follow each other from the last on.
template <class T>
void transpose_piece(const KernelTable<T>& kernels, const ConvLayout<T>& layout, const T* weights, PanelRows part,
                     T* transposed) {
  const Size group = part.panel / layout.weights.panels(), panel = part.panel % layout.weights.panels();
  const Size channels = layout.transposed.cols, outputs = layout.weights.cols, end = part.first + part.count;
  for (Size row = part.first, count; row < end; row += count) {
    const Size tap = row / channels, kh = tap / layout.kernel_w, kw = tap % layout.kernel_w;
    count = std::min(channels - row % channels, end - row);
    transpose_piece<T>(kernels, {weights + group * layout.weights.size(), layout.weights}, {panel, row, count},
                       {transposed + group * layout.transposed.size(), layout.transposed},
                       {.down = (kh * layout.kernel_w + layout.kernel_w - 1 - kw) * outputs, .left = tap * channels});
  }
}

template struct ConvLayout<float>;
template struct ConvLayout<double>;
template void transpose_piece(const KernelTable<float>&, const ConvLayout<float>&, const float*, PanelRows, float*);
template void transpose_piece(const KernelTable<double>&, const ConvLayout<double>&, const double*, PanelRows, double*);

}  // namespace nnext::ops
