// How windows move over images, and where the weights of a convolution lie.
#pragma once

#include "ops/panels.h"

namespace nnext::ops {

// How a window moves over one axis, with zeros before and after it.
struct Window {
  Size kernel = 1, stride = 1, dilation = 1, before = 0, after = 0;

  Size reach() const { return (kernel - 1) * dilation + 1; }
  // How many places it has; 0 where it does not fit once.
  Size places(Size in) const {
    const Size padded = in + before + after;
    return padded < reach() ? 0 : (padded - reach()) / stride + 1;
  }
};

struct ConvAxis : Window {
  Size in, out;
  ConvAxis(const Window& window, Size in_) : Window(window), in(in_), out(window.places(in_)) {}
};

// Images of h.in x w.in pixels with in_channels to such of out_channels; each group of channels for itself.
struct ConvShape {
  ConvAxis h, w;
  Size in_channels, out_channels, groups;

  ConvShape(const ConvAxis& h_, const ConvAxis& w_, Size in_channels_, Size out_channels_, Size groups_);
  Size group_in() const { return in_channels / groups; }
  Size group_out() const { return out_channels / groups; }
  Size in_numbers() const { return h.in * w.in * in_channels; }
  Size out_numbers() const { return h.out * w.out * out_channels; }
  double flops() const;
};

// Where the weights of a convolution lie: of each group as panels [kh, kw, c][o] and, for the gradient of the input,
// [kh, kw from the last to the first, o][c].
template <class T>
struct ConvLayout {
  Size kernel_h, kernel_w, groups;
  PanelLayout weights, transposed;  // of one group

  ConvLayout(const KernelTable<T>& kernels, const ConvShape& shape);
  Size size() const { return core::checked_product(weights.size(), groups); }
  Size transposed_size() const { return core::checked_product(transposed.size(), groups); }
  Size row(Size kh, Size kw, Size c) const { return (kh * kernel_w + kw) * (weights.rows / kernel_h / kernel_w) + c; }
  // Of the part of a panel that begins with an element, counted over the panels of all groups.
  PanelRows panel_rows(Size offset, Size count) const;
};
template <class T>
void transpose_piece(const KernelTable<T>& kernels, const ConvLayout<T>& layout, const T* weights, PanelRows part,
                     T* transposed);

}  // namespace nnext::ops
