#include "nn/layers/layer_norm.h"

#include <limits>

#include "core/errors.h"

namespace nnext::nn {

using core::Stride;

template <class T>
LayerNorm<T>::LayerNorm(const char* operation, const kernels::RowNormKernels<T>& kernels, const core::Config& config)
    : operation_(operation),
      kernels_(kernels),
      eps_(config.has("eps") ? static_cast<T>(config.number("eps")) : std::numeric_limits<T>::epsilon()) {
  for (const double extent : config.numbers("normalized_shape")) extents_.push_back(static_cast<Size>(extent));
  for (const Size extent : extents_) numbers_ = core::checked_product(numbers_, extent);
  if (!config.flag("elementwise_affine")) return;
  this->parameters.push_back({"weight", extents_, numbers_});
  if (config.has("bias") && config.flag("bias")) this->parameters.push_back({"bias", extents_, numbers_});
}

template <class T>
void LayerNorm<T>::initialize(const Streams&, runtime::Cancel&) {
  if (this->parameters.size() > kWeight) std::fill_n(this->parameters[kWeight].values.data(), numbers_, T(1));
}

// Three axes are those of an image.
template <class T>
std::optional<Intake> LayerNorm<T>::intake() const {
  if (extents_.size() == 3) return Intake{extents_.front(), 2, true};
  return Intake{.channels = extents_.back()};
}

template <class T>
Shape LayerNorm<T>::out_shape(std::span<const Shape> in) const {
  const std::vector<Size> of = in.front().extents();
  const bool fits = of.size() >= extents_.size() && std::equal(extents_.rbegin(), extents_.rend(), of.rbegin());
  if (!fits)
    core::fail_value("[", operation_, "] x is ", text(in.front()),
                     " a sample, whose last axes are not normalized_shape, ",
                     text(Shape(std::span(extents_).first(extents_.size() - 1), extents_.back(), false)),
                     "; give the sizes of its last axes");
  return in.front();
}

template <class T>
Traits LayerNorm<T>::traits(const Shape&, bool) const {
  return {.reads_x = true};
}

// Saved are the moments of each row; in the scratch two samples are turned.
template <class T>
Room LayerNorm<T>::room(const Shape& in, Size, bool) const {
  return {.saved = 2 * rows(in),
          .scratch = in.turned() ? 2 * in.numbers() * sizeof(T) : 0,
          .flops = 8 * static_cast<double>(in.numbers())};
}

namespace {

// A sample of `shape` in the order in which people write it, and back.
template <class T>
void to_public(const Pass<T>& pass, const Shape& shape, const T* from, T* to) {
  pass.kernels.layout.transpose(shape.places(), shape.channels, from, static_cast<Stride>(shape.channels), to,
                                static_cast<Stride>(shape.places()));
}
template <class T>
void from_public(const Pass<T>& pass, const Shape& shape, const T* from, T* to) {
  pass.kernels.layout.transpose(shape.channels, shape.places(), from, static_cast<Stride>(shape.places()), to,
                                static_cast<Stride>(shape.channels));
}

}  // namespace

template <class T>
void LayerNorm<T>::forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  const Shape& in = *frame.in;
  const auto normalize = [&](Size samples, const T* x, Size row, T* y) {
    kernels_.forward(samples * rows(in), numbers_, eps_, x, parameter(kWeight), parameter(kBias), frame.saved.row(row),
                     y);
  };
  if (!in.turned()) return normalize(part.size(), frame.x.row(part.begin), part.begin, frame.y.row(part.begin));
  T* const turned = reinterpret_cast<T*>(frame.scratch);
  for (Size i = part.begin; i < part.end; ++i) {
    to_public(pass, in, frame.x.row(i), turned);
    normalize(1, turned, i, turned);
    from_public(pass, in, turned, frame.y.row(i));
  }
}

template <class T>
void LayerNorm<T>::backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  const Shape& in = *frame.in;
  const auto back = [&](Size samples, const T* x, Size row, const T* dy, T* dx) {
    kernels_.backward(samples * rows(in), numbers_, x, frame.saved.row(row), parameter(kWeight), dy, dx);
  };
  if (!in.turned())
    return back(part.size(), frame.x.row(part.begin), part.begin, frame.dy.row(part.begin), frame.dx.row(part.begin));
  T *const x = reinterpret_cast<T*>(frame.scratch), *const dy = x + in.numbers();
  for (Size i = part.begin; i < part.end; ++i) {
    to_public(pass, in, frame.x.row(i), x);
    to_public(pass, in, frame.dy.row(i), dy);
    back(1, x, i, dy, dy);
    from_public(pass, in, dy, frame.dx.row(i));
  }
}

// Where a sample is one row, only the channels of the piece are turned.
template <class T>
void LayerNorm<T>::gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, const kernels::Prefetch&,
                            T* out) const {
  const Shape& in = *frame.in;
  if (!pass.continues()) std::fill_n(out, piece.count, T{0});
  const auto add = [&](Size samples, const T* x, Size row, const T* dy) {
    kernels_.weight_sums(samples * rows(in), numbers_, piece.count,
                         piece.parameter == kWeight ? x + piece.offset : nullptr, frame.saved.row(row),
                         dy + piece.offset, out);
  };
  if (!in.turned()) return add(frame.rows(), frame.x.data, 0, frame.dy.data);
  T *const x = reinterpret_cast<T*>(frame.scratch), *const dy = x + in.numbers();
  const Size places = in.places();
  const bool whole = rows(in) > 1;
  const Size first = whole ? 0 : piece.offset / places;
  const Size channels = (whole ? in.channels : core::divide_up(piece.offset + piece.count, places)) - first;
  for (Size i = 0; i < frame.rows(); ++i) {
    const auto turn = [&](const T* from, T* to) {
      pass.kernels.layout.transpose(places, channels, from + first, static_cast<Stride>(in.channels),
                                    to + first * places, static_cast<Stride>(places));
    };
    turn(frame.x.row(i), x);
    turn(frame.dy.row(i), dy);
    add(1, x, i, dy);
  }
}

template class LayerNorm<float>;
template class LayerNorm<double>;

}  // namespace nnext::nn
