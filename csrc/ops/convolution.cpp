#include "ops/convolution.h"

#include <algorithm>

namespace nnext::ops {
namespace {

// Samples whose gradients of the weights are computed together have about so many pixels: x and dy stay in L2 then, and
// sums are seldom read and written. 128 lost 2 to 7 % of the speed.
constexpr Size kPixelsAtOnce = 512;

Stride stride(Size n) { return static_cast<Stride>(n); }

}  // namespace

template <class T>
Convolution<T>::Convolution(const KernelTable<T>& kernels, const ConvShape& shape)
    : kernels_(kernels), shape_(shape), layout_(kernels, shape), joined_(shape.w.dilation == 1 && shape.groups == 1) {}

template <class T>
const T* Convolution<T>::Lines::padded(const T* x, T* room) const {
  if (before + after == 0) return x;
  const Size numbers = pixels * channels;
  for (Size i = 0; i < count; ++i, x += numbers) {
    room = std::fill_n(room, before * channels, T{0});
    room = std::copy_n(x, numbers, room);
    room = std::fill_n(room, after * channels, T{0});
  }
  return room - count * stride();
}

template <class T>
typename Convolution<T>::Lines Convolution<T>::input_lines(Size samples) const {
  return {samples * shape_.h.in, shape_.w.in, shape_.in_channels, shape_.w.before, shape_.w.after};
}

// So many zeros that every tap of every input column finds a column of dy.
template <class T>
typename Convolution<T>::Lines Convolution<T>::output_lines() const {
  const ConvAxis& w = shape_.w;
  const Size reach = w.reach() - 1, last = (w.in - 1 + w.before) / w.stride;  // the last column that a tap can want
  return {shape_.h.out, w.out, shape_.out_channels, reach > w.before ? core::divide_up(reach - w.before, w.stride) : 0,
          last + 1 > w.out ? last + 1 - w.out : 0};
}

template <class T>
Size Convolution<T>::samples_at_once(Size samples) const {
  return std::min(samples, std::max<Size>(1, kPixelsAtOnce / std::max<Size>(1, shape_.h.out * shape_.w.out)));
}

template <class T>
Size Convolution<T>::gradient_runs(Size samples) const {
  return shape_.h.kernel * shape_.h.out * samples_at_once(samples);
}

// Runs first, then padded lines.
template <class T>
Size Convolution<T>::scratch(Size samples, bool training) const {
  const Size taps = shape_.h.kernel * shape_.w.kernel;
  const auto bytes = [](Size runs, Size numbers) {
    return core::round_up(runs * sizeof(Run), core::kCacheLine) + numbers * sizeof(T);
  };
  const Size forward = bytes(taps, input_lines(1).size());
  if (!training) return forward;
  return std::max({forward, bytes(taps, output_lines().size()),
                   bytes(gradient_runs(samples), input_lines(samples_at_once(samples)).size())});
}

namespace {

template <class T>
struct Room {
  kernels::Run* runs;
  T* lines;
  Room(std::byte* scratch, Size runs_)
      : runs(reinterpret_cast<kernels::Run*>(scratch)),
        lines(reinterpret_cast<T*>(scratch + core::round_up(runs_ * sizeof(kernels::Run), core::kCacheLine))) {}
};

// The taps of an axis that lie in the image, for a window whose first tap is at `first`: [begin, end).
struct Taps {
  Size begin, end;
  Taps(const ConvAxis& axis, Stride first)
      : begin(first < 0 ? core::divide_up(static_cast<Size>(-first), axis.dilation) : 0), end(axis.kernel) {
    const Stride inside = stride(axis.in) - first;
    end = inside <= 0 ? 0 : std::min(end, core::divide_up(static_cast<Size>(inside), axis.dilation));
    begin = std::min(begin, end);
  }
};

}  // namespace

template <class T>
void Convolution<T>::forward(const T* x, const T* weights, const T* bias, T* y, std::byte* scratch) const {
  const ConvAxis &h = shape_.h, &w = shape_.w;
  const Room<T> room(scratch, h.kernel * w.kernel);
  const Lines lines = input_lines(1);
  const T* const from = lines.padded(x, room.lines);
  const Size step = joined_ ? 1 : w.kernel, k = joined_ ? layout_.weights.rows / h.kernel : shape_.group_in();
  for (Size tap = 0; tap < h.kernel * step; ++tap)  // of a window whose first line is line 0
    room.runs[tap] = {stride(tap / step * h.dilation * lines.stride() + tap % step * w.dilation * lines.channels),
                      stride(tap * k * layout_.weights.width)};
  for (Size panel = 0; panel < layout_.groups * layout_.weights.panels(); ++panel) {
    const Size group = panel / layout_.weights.panels(), p = panel % layout_.weights.panels();
    const Size column = group * shape_.group_out() + p * layout_.weights.width;
    for (Size i = 0; i < h.out; ++i) {
      const Stride top = stride(i * h.stride) - stride(h.before);
      const Taps taps(h, top);
      kernels_.gemm.multiply_panel({.m = w.out,
                                    .n = layout_.weights.panel_cols(p),
                                    .k = k,
                                    .a = from + top * stride(lines.stride()) + stride(group * shape_.group_in()),
                                    .a_row = stride(w.stride * lines.channels),
                                    .a_k = 1,
                                    .b = weights + panel * layout_.weights.rows * layout_.weights.width,
                                    .b_k = stride(layout_.weights.width),
                                    .init = bias == nullptr ? nullptr : bias + column,
                                    .init_row = 0,
                                    .c = y + i * w.out * shape_.out_channels + column,
                                    .c_row = stride(shape_.out_channels),
                                    .runs = (taps.end - taps.begin) * step,
                                    .run = room.runs + taps.begin * step});
    }
  }
}

// The pixels `column`, column + stride, ... of an input line take part in the same taps, which stand side by side in
// lines of dy: those with (line + before - kh * dilation) a multiple of the stride, and of columns likewise.
template <class T>
Size Convolution<T>::dx_runs(Size line, Size column, const Lines& lines, Run* runs) const {
  const ConvAxis &h = shape_.h, &w = shape_.w;
  const Size outputs = shape_.group_out(), step = joined_ && w.stride == 1 ? w.kernel : 1;
  Size count = 0;
  for (Size kh = 0; kh < h.kernel; ++kh) {
    const Stride i = stride(line + h.before) - stride(kh * h.dilation);
    if (i < 0 || i % stride(h.stride) != 0 || i / stride(h.stride) >= stride(h.out)) continue;
    for (Size back = 0; back < w.kernel; back += step) {
      const Stride j = stride(column + w.before) - stride((w.kernel - 1 - back) * w.dilation);
      if (j % stride(w.stride) != 0) continue;
      runs[count++] = {(i / stride(h.stride)) * stride(lines.stride()) +
                           (stride(lines.before) + j / stride(w.stride)) * stride(lines.channels),
                       stride((kh * w.kernel + back) * outputs * layout_.transposed.width)};
    }
  }
  return count;
}

template <class T>
void Convolution<T>::backward(const T* dy, const T* transposed, T* dx, std::byte* scratch) const {
  const ConvAxis &h = shape_.h, &w = shape_.w;
  const Room<T> room(scratch, h.kernel * w.kernel);
  const Lines lines = output_lines();
  const T* const from = lines.padded(dy, room.lines);
  const Size k = shape_.group_out() * (joined_ && w.stride == 1 ? w.kernel : 1);
  for (Size panel = 0; panel < layout_.groups * layout_.transposed.panels(); ++panel) {
    const Size group = panel / layout_.transposed.panels(), p = panel % layout_.transposed.panels();
    const Size channel = group * shape_.group_in() + p * layout_.transposed.width;
    for (Size i = 0; i < h.in; ++i)
      for (Size j = 0; j < std::min(w.stride, w.in); ++j)
        kernels_.gemm.multiply_panel({.m = core::divide_up(w.in - j, w.stride),
                                      .n = layout_.transposed.panel_cols(p),
                                      .k = k,
                                      .a = from + group * shape_.group_out(),
                                      .a_row = stride(shape_.out_channels),
                                      .a_k = 1,
                                      .b = transposed + panel * layout_.transposed.rows * layout_.transposed.width,
                                      .b_k = stride(layout_.transposed.width),
                                      .init = nullptr,
                                      .init_row = 0,
                                      .c = dx + (i * w.in + j) * shape_.in_channels + channel,
                                      .c_row = stride(w.stride * shape_.in_channels),
                                      .runs = dx_runs(i, j, lines, room.runs),
                                      .run = room.runs});
  }
}

// A run is a line of the output; those of a line of the window are the same for all parts.
template <class T>
void Convolution<T>::weight_gradient(const runtime::Member& me, Size samples, const T* x, const T* dy,
                                     std::span<const PanelRows> parts, T* sums, std::byte* scratch) const {
  const ConvAxis& h = shape_.h;
  const Size at_once = samples_at_once(samples), all_runs = gradient_runs(samples);
  const Room<T> room(scratch, all_runs);
  const Size line = input_lines(1).stride();
  for (Size kh = 0; kh < h.kernel; ++kh) {
    Run* run = room.runs + kh * h.out * at_once;
    for (Size s = 0; s < at_once; ++s)
      for (Size i = 0; i < h.out; ++i) {
        const Stride at = stride(i * h.stride + kh * h.dilation) - stride(h.before);
        if (at < 0 || at >= stride(h.in)) continue;  // a line outside of the image
        *run++ = {(stride(s * h.in) + at) * stride(line), stride((s * h.out + i) * shape_.w.out * shape_.out_channels)};
      }
  }
  for (Size first = 0; first < samples && !me.stop(); first += at_once) {
    const Size count = std::min(at_once, samples - first);
    const T* const from = input_lines(count).padded(x + first * shape_.in_numbers(), room.lines);
    for (const PanelRows& part : parts)
      add_sample_group(count, from, dy + first * shape_.out_numbers(), part, room.runs, at_once, sums);
  }
}

template <class T>
void Convolution<T>::add_sample_group(Size samples, const T* x, const T* dy, PanelRows part, const Run* runs,
                                      Size run_samples, T* sums) const {
  const ConvAxis &h = shape_.h, &w = shape_.w;
  const PanelLayout& layout = layout_.weights;
  const Size group = part.panel / layout.panels(), p = part.panel % layout.panels(), end = part.first + part.count;
  const Size together = shape_.group_in() * (joined_ ? w.kernel : 1);  // rows that lie side by side in x
  for (Size row = part.first, rows; row < end; row += rows) {
    rows = std::min(together - row % together, end - row);
    const Size tap = row / together, kh = joined_ ? tap : tap / w.kernel, kw = joined_ ? 0 : tap % w.kernel;
    const Run* const run = runs + kh * h.out * run_samples;
    Size lines = 0;  // of a sample
    for (Size i = 0; i < h.out; ++i) {
      const Stride at = stride(i * h.stride + kh * h.dilation) - stride(h.before);
      lines += at >= 0 && at < stride(h.in);
    }
    T* const to = sums + (part.panel * layout.rows + row) * layout.width;
    kernels_.gemm.multiply_panel(
        {.m = rows,
         .n = layout.panel_cols(p),
         .k = w.out,
         .a = x + kw * w.dilation * shape_.in_channels + group * shape_.group_in() + row % together,
         .a_row = 1,
         .a_k = stride(w.stride * shape_.in_channels),
         .b = dy + group * shape_.group_out() + p * layout.width,
         .b_k = stride(shape_.out_channels),
         .init = to,
         .init_row = stride(layout.width),
         .c = to,
         .c_row = stride(layout.width),
         .runs = lines * samples,
         .run = run});
  }
}

template class Convolution<float>;
template class Convolution<double>;

}  // namespace nnext::ops
