// Convolution of images of H, W, C by products in runs (kernels::Run), without im2col: y[i, j, o] = b[o] + the sum over
// taps kh, kw and channels c of x[i * stride + kh * dilation - before, ..., c] * w[kh, kw, c, o].
//
// The rows of a product are pixels of a line, a run is what of the window lies side by side: all taps of a line where
// kw and c do, else the channels of one tap. Lines outside of the image are left out, columns are zeros in a padded copy.
#pragma once

#include <span>

#include "ops/panels.h"
#include "runtime/team.h"

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

// The passes for one shape; each member needs a scratch of its own, of so many numbers and runs.
template <class T>
class Convolution {
 public:
  Convolution(const KernelTable<T>& kernels, const ConvShape& shape);

  // In bytes, for batches of so many samples.
  Size scratch(Size samples, bool training) const;

  // y for one sample x; bias may be null.
  void forward(const T* x, const T* weights, const T* bias, T* y, std::byte* scratch) const;
  // dx for one sample, from the transposed weights.
  void backward(const T* dy, const T* transposed, T* dx, std::byte* scratch) const;
  // What samples give to parts of dw, added to `sums`, which lie as the weights do: each element is a chain over all
  // pixels of all samples. Unfinished where `me` should stop.
  void weight_gradient(const runtime::Member& me, Size samples, const T* x, const T* dy,
                       std::span<const PanelRows> parts, T* sums, std::byte* scratch) const;

 private:
  using Run = kernels::Run;
  // Lines of pixels with zeros before and after each.
  struct Lines {
    Size count, pixels, channels, before, after;
    Size stride() const { return (before + pixels + after) * channels; }
    Size size() const { return before + after == 0 ? 0 : count * stride(); }
    const T* padded(const T* x, T* room) const;  // x itself where there are no zeros
  };
  Lines input_lines(Size samples) const;
  Lines output_lines() const;  // for dx
  Size samples_at_once(Size samples) const;
  Size gradient_runs(Size samples) const;
  Size dx_runs(Size line, Size column, const Lines& lines, Run* runs) const;
  void add_sample_group(Size samples, const T* x, const T* dy, PanelRows part, const Run* runs, Size run_samples,
                        T* sums) const;

  const KernelTable<T>& kernels_;
  ConvShape shape_;
  ConvLayout<T> layout_;
  bool joined_;  // all taps of a line of the window lie side by side
};

}  // namespace nnext::ops
