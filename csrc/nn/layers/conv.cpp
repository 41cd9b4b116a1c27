#include "nn/layers/conv.h"

#include "core/errors.h"
#include "nn/layers/windows.h"

namespace nnext::nn {

template <class T>
Conv<T>::Conv(const kernels::KernelTable<T>& kernels, const core::Config& config, int axes)
    : kernels_(kernels),
      operation_(axes == 1 ? "conv1d" : "conv2d"),
      axes_(axes),
      weight_init_(make_initializer(config.child("weight_init"))),
      bias_init_(make_initializer(config.child("bias_init"))),
      windows_(read_windows(config, axes)),
      in_channels_(config.size("in_channels")),
      out_channels_(config.size("out_channels")),
      groups_(config.size("groups")),
      layout_(kernels, {{h(), h().reach()}, {w(), w().reach()}, in_channels_, out_channels_, groups_}) {
  if (in_channels_ % groups_ != 0 || out_channels_ % groups_ != 0)
    core::fail_value("[", operation_, "] ", in_channels_, " and ", out_channels_, " channels cannot be parted into ",
                     groups_, " groups; choose groups that divide both");
  std::vector<Size> shape{out_channels_, in_channels_ / groups_};
  for (const ops::Window& window : std::span(windows_).last(static_cast<Size>(axes))) shape.push_back(window.kernel);
  this->parameters.push_back({"weight", std::move(shape), layout_.size()});
  if (config.flag("bias")) this->parameters.push_back({"bias", {out_channels_}, out_channels_});
}

template <class T>
void Conv<T>::initialize(const Streams& streams, runtime::Cancel& cancel) {
  const Size window = h().kernel * w().kernel, in = in_channels_ / groups_ * window;
  const auto draw = [&](Size parameter, const Initializer& initializer, Size cols) {
    core::Buffer<T> logical(core::checked_product(out_channels_, cols));
    nn::initialize(kernels_.noise, initializer, streams.parameter(parameter), in, out_channels_ / groups_ * window,
                   Matrix<T>(logical.data(), out_channels_, cols), cancel);
    if (cancel.requested()) return;
    this->from_logical(parameter, logical.data(), this->parameters[parameter].values.data(), &cancel);
  };
  draw(kWeight, weight_init_, in);
  if (has_bias()) draw(kBias, bias_init_, 1);
}

template <class T>
Shape Conv<T>::out_shape(std::span<const Shape> in) const {
  const Shape& x = in.front();
  require_axes(operation_, x, axes_);
  if (x.channels != in_channels_)
    core::fail_value("[", operation_, "] x has ", x.channels, x.channels_first ? " channels" : " features",
                     " but the layer expects ", in_channels_, "; change in_channels or what comes before the layer");
  return window_places(operation_, x, windows_).with_channels(out_channels_);
}

template <class T>
ops::ConvShape Conv<T>::shape(const Shape& in) const {
  const auto [lines, columns] = lines_and_columns(in);
  return {{h(), lines}, {w(), columns}, in_channels_, out_channels_, groups_};
}

// For the gradients of the weights: what the pass needs, their sums, and which parts they are.
template <class T>
struct Conv<T>::Scratch {
  Size sums, parts, size;  // where they begin, and all together

  Scratch(const Conv& layer, const ops::Convolution<T>& convolution, Size rows)
      : sums(core::round_up(convolution.scratch(rows, true), core::kCacheLine)),
        parts(sums + core::round_up(layer.layout_.size() * sizeof(T), core::kCacheLine)),
        size(parts + layer.weight_pieces() * sizeof(ops::PanelRows)) {}
};

template <class T>
Room Conv<T>::room(const Shape& in, Size rows, bool training) const {
  const ops::Convolution<T> convolution(kernels_, shape(in));
  const Size forward = convolution.scratch(rows, false), bias = std::min(out_channels_, kMaxPiece) * sizeof(T);
  return {.scratch = training ? std::max(Scratch(*this, convolution, rows).size, bias) : forward,
          .flops = shape(in).flops()};
}

template <class T>
void Conv<T>::forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  const ops::Convolution<T> convolution = this->convolution(frame);
  for (Size i = part.begin; i < part.end && !pass.me.stop(); ++i)
    convolution.forward(frame.x.row(i), weight(), bias(), frame.y.row(i), frame.scratch);
}

template <class T>
void Conv<T>::backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  const ops::Convolution<T> convolution = this->convolution(frame);
  for (Size i = part.begin; i < part.end && !pass.me.stop(); ++i)
    convolution.backward(frame.dy.row(i), transposed_.data(), frame.dx.row(i), frame.scratch);
}

template <class T>
Size Conv<T>::weight_pieces() const {
  return layout_.groups * layout_.weights.panels() * core::divide_up(layout_.weights.rows, piece_rows());
}

template <class T>
std::vector<Piece> Conv<T>::pieces() const {
  std::vector<Piece> all;
  const ops::PanelLayout& panels = layout_.weights;
  for (Size panel = 0; panel < layout_.groups * panels.panels(); ++panel)
    for (Size first = 0; first < panels.rows; first += piece_rows())
      all.push_back({.parameter = kWeight,
                     .offset = (panel * panels.rows + first) * panels.width,
                     .count = std::min(piece_rows(), panels.rows - first) * panels.width,
                     .group = all.size()});
  if (has_bias())
    for (Size first = 0; first < out_channels_; first += kMaxPiece)
      all.push_back({.parameter = kBias,
                     .offset = first,
                     .count = std::min(kMaxPiece, out_channels_ - first),
                     .group = all.size()});
  return all;
}

// Those of the weights all together, as they read the same samples; the others one by one.
template <class T>
void Conv<T>::gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine, Sink<T>& sink) const {
  const auto of_bias = std::find_if(mine.begin(), mine.end(), [](const Piece& p) { return p.parameter == kBias; });
  const auto weights = static_cast<Size>(of_bias - mine.begin());
  if (weights > 0) weight_gradients(pass, frame, mine.first(weights), sink);
  for (const Piece& piece : mine.subspan(weights)) {
    if (pass.me.stop()) return;
    bias_gradient(pass, frame, piece, sink.at(piece));
    sink.done(piece);
  }
}

template <class T>
void Conv<T>::weight_gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine,
                               Sink<T>& sink) const {
  const ops::Convolution<T> convolution = this->convolution(frame);
  const Scratch scratch(*this, convolution, frame.rows());
  T* const sums = reinterpret_cast<T*>(frame.scratch + scratch.sums);
  auto* const parts = reinterpret_cast<ops::PanelRows*>(frame.scratch + scratch.parts);
  for (Size i = 0; i < mine.size(); ++i) {
    parts[i] = layout_.panel_rows(mine[i].offset, mine[i].count);
    if (pass.continues())
      std::copy_n(sink.at(mine[i]), mine[i].count, sums + mine[i].offset);
    else
      std::fill_n(sums + mine[i].offset, mine[i].count, T{0});
  }
  convolution.weight_gradient(pass.me, frame.rows(), frame.x.data, frame.dy.data, {parts, mine.size()}, sums,
                              frame.scratch);
  for (const Piece& piece : mine) {
    if (pass.me.stop()) return;
    std::copy_n(sums + piece.offset, piece.count, sink.at(piece));
    sink.done(piece);
  }
}

// A chain over samples of one chain a sample: a single one over all pixels would be long, and lose digits.
template <class T>
void Conv<T>::bias_gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, T* out) const {
  const Size places = frame.out->places();
  T* const of_sample = reinterpret_cast<T*>(frame.scratch);
  if (!pass.continues()) std::fill_n(out, piece.count, T{0});
  for (Size i = 0; i < frame.rows(); ++i) {
    pass.kernels.reduce.column_sums(places, piece.count, frame.dy.row(i) + piece.offset,
                                    static_cast<core::Stride>(out_channels_), nullptr, of_sample);
    pass.kernels.elementwise.add(piece.count, out, of_sample, out);
  }
}

template <class T>
void Conv<T>::updated(const Piece& piece) {
  if (piece.parameter != kWeight || this->packed != Packed::all) return;
  ops::transpose_piece(kernels_, layout_, weight(), layout_.panel_rows(piece.offset, piece.count), transposed_.data());
}

template <class T>
void Conv<T>::pack(Packed wanted) {
  if (this->packed >= wanted) return;
  const std::vector<Piece> all = pieces();  // what follows the allocations cannot fail
  if (wanted == Packed::all && transposed_.size() == 0) transposed_ = core::Buffer<T>(layout_.transposed_size());
  this->packed = wanted;
  for (const Piece& piece : all) updated(piece);
}

template <class T>
template <class F>
void Conv<T>::for_each_weight(runtime::Cancel* cancel, F f) const {
  const Size in = in_channels_ / groups_, outputs = out_channels_ / groups_;
  Size logical = 0;
  runtime::for_parts(out_channels_, 1, cancel, [&](Size o, Size) {
    for (Size c = 0; c < in; ++c)
      for (Size kh = 0; kh < h().kernel; ++kh)
        for (Size kw = 0; kw < w().kernel; ++kw)
          f(o / outputs * layout_.weights.size() + layout_.weights.offset(layout_.row(kh, kw, c), o % outputs),
            logical++);
  });
}

template <class T>
void Conv<T>::to_logical(Size i, const T* stored, T* logical, runtime::Cancel* cancel) const {
  if (i != kWeight) return Layer<T>::to_logical(i, stored, logical, cancel);
  for_each_weight(cancel, [&](Size from, Size to) { logical[to] = stored[from]; });
}

template <class T>
void Conv<T>::from_logical(Size i, const T* logical, T* stored, runtime::Cancel* cancel) const {
  if (i != kWeight) return Layer<T>::from_logical(i, logical, stored, cancel);
  for_each_weight(cancel, [&](Size to, Size from) { stored[to] = logical[from]; });
}

// Column j is what leads to output channel j.
template <class T>
void Conv<T>::column_squares(const kernels::KernelTable<T>& kernels, Size i, const T* stored, Range part,
                             double* out) const {
  if (i != kWeight) return Layer<T>::column_squares(kernels, i, stored, part, out);
  const Size outputs = out_channels_ / groups_;
  std::fill(out + part.begin, out + part.end, 0.0);
  for (Size j = part.begin; j < part.end; ++j)
    kernels.reduce.column_squares(
        layout_.weights.rows, 1, stored + j / outputs * layout_.weights.size() + layout_.weights.offset(0, j % outputs),
        static_cast<core::Stride>(layout_.weights.width), out + j);
}

template class Conv<float>;
template class Conv<double>;

}  // namespace nnext::nn
