// Convolution of images of H, W, C by products in runs (kernels::Run), without im2col: y[i, j, o] = b[o] + the sum over
// taps kh, kw and channels c of x[i * stride + kh * dilation - before, ..., c] * w[kh, kw, c, o].
//
// The rows of a product are pixels of a line, a run is what of the window lies side by side: all taps of a line where
// kw and c do, else the channels of one tap. Lines outside of the image are left out, columns are zeros in a padded copy.
#pragma once

#include <span>

#include "ops/conv_shape.h"
#include "runtime/team.h"

namespace nnext::ops {

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
