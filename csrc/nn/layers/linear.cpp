#include "nn/layers/linear.h"

#include "core/errors.h"
#include "ops/linear.h"
#include "runtime/costs.h"

namespace nnext::nn {

template <class T>
Linear<T>::Linear(const kernels::KernelTable<T>& kernels, const core::Config& config)
    : Linear(kernels, config, config.size("out_features"), config.flag("bias")) {}

template <class T>
Linear<T>::Linear(const kernels::KernelTable<T>& kernels, const core::Config& config, Size out_features, bool bias)
    : kernels_(kernels),
      weight_init_(make_initializer(config.child("weight_init"))),
      bias_init_(make_initializer(config.child("bias_init"))),
      layout_(kernels, config.size("in_features"), out_features),
      transposed_layout_(kernels, layout_.cols, layout_.rows) {
  const Size in = layout_.rows, out = layout_.cols;
  this->parameters.push_back({"weight", {out, in}, layout_.size()});
  if (bias) this->parameters.push_back({"bias", {out}, out});
}

template <class T>
void Linear<T>::initialize(const Streams& streams, runtime::Cancel& cancel) {
  const Size in = layout_.rows, out = layout_.cols;
  const auto draw = [&](Size parameter, const Initializer& initializer, Size cols) {
    core::Buffer<T> logical(core::checked_product(out, cols));
    nn::initialize(kernels_.noise, initializer, streams.parameter(parameter), in, out,
                   Matrix<T>(logical.data(), out, cols), cancel);
    if (cancel.requested()) return;  // most pages of both have not been touched
    this->from_logical(parameter, logical.data(), this->parameters[parameter].values.data(), &cancel);
  };
  draw(kWeight, weight_init_, in);
  if (has_bias()) draw(kBias, bias_init_, 1);
}

template <class T>
Shape Linear<T>::out_shape(std::span<const Shape> in) const {
  const Shape& x = in.front();
  if (x.channels_first && x.axes > 0)
    core::fail_value("[linear] x is ", text(x),
                     " a sample, channels first, where it is not clear what its features are",
                     "; put Flatten() or GlobalAvgPool", x.axes, "d() before the layer");
  if (x.channels != layout_.rows)
    core::fail_value("[linear] x has ", x.channels, " features but the layer expects ", layout_.rows,
                     "; change in_features or what comes before the layer");
  return x.with_channels(layout_.cols);
}

template <class T>
Room Linear<T>::room(const Shape& x, Size rows, bool training) const {
  const auto in = static_cast<double>(layout_.rows), out = static_cast<double>(layout_.cols);
  const Size places = x.places();
  return {.shared = training && bf16_ != nullptr && this->trainable ? bf16_->scratch_bytes(rows * places) : 0,
          .flops = (2 * in * out + (has_bias() ? out : 0)) * static_cast<double>(places)};
}

template <class T>
void Linear<T>::forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  const bool all_features = part.split == Split::rows;
  const Range rows = all_features ? Range(part) : Range{0, frame.rows()};
  const Range panels = all_features ? Range{0, layout_.panels()} : Range(part);
  const ConstMatrix<T> x = by_places(frame.x.rows_from(rows.begin, rows.size()), *frame.in);
  const Matrix<T> y = by_places(frame.y.rows_from(rows.begin, rows.size()), *frame.out);
  if constexpr (kHasBf16)
    if (bf16_ != nullptr && pass.training) return bf16_->forward(pass.me, x, panels, bias(), y);
  ops::linear<T>(pass.kernels, pass.me, x, {weight(), layout_}, panels, bias(), y);
}

template <class T>
void Linear<T>::backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  const ConstMatrix<T> dy = by_places(frame.dy.rows_from(part.begin, part.size()), *frame.out);
  const Matrix<T> dx = by_places(frame.dx.rows_from(part.begin, part.size()), *frame.in);
  if constexpr (kHasBf16)
    if (bf16_ != nullptr) return bf16_->backward(pass.me, dy, dx);
  ops::linear<T>(pass.kernels, pass.me, dy, {transposed_.data(), transposed_layout_}, {0, transposed_layout_.panels()},
                 nullptr, dx);
}

// Rows of a panel in the outer loop: the columns of x that they read stay in L1 for every panel.
template <class T>
std::vector<Piece> Linear<T>::pieces() const {
  std::vector<Piece> all;
  const Size most = std::max<Size>(1, kMaxPiece / layout_.width);
  const Size rows = bf16_ == nullptr ? most : most / LinearBf16::kPieceRows * LinearBf16::kPieceRows;
  for (Size first = 0; first < layout_.rows; first += rows)
    for (Size p = 0; p < layout_.panels(); ++p)
      all.push_back({.parameter = kWeight,
                     .offset = layout_.offset(first, p * layout_.width),
                     .count = std::min(rows, layout_.rows - first) * layout_.width,
                     .group = all.size(),
                     .block = p});
  if (has_bias())
    for (Size p = 0; p < layout_.panels(); ++p)
      all.push_back({.parameter = kBias,
                     .offset = p * layout_.width,
                     .count = layout_.panel_cols(p),
                     .group = all.size(),
                     .block = p});
  return all;
}

namespace {

bool follows(const Piece& a, const Piece& b) {
  return b.parameter == a.parameter && b.block == a.block && b.offset == a.offset + a.count;
}

}  // namespace

template <class T>
ops::PanelRows Linear<T>::panel_rows(const Piece& piece) const {
  const Size row = piece.offset / layout_.width;
  return {row / layout_.rows, row % layout_.rows, piece.count / layout_.width};
}

template <class T>
void Linear<T>::prepare_gradients(const Pass<T>& pass, const Frame<T>& frame) const {
  if constexpr (kHasBf16)
    if (bf16_ != nullptr)
      bf16_->prepare_gradient(pass.me, by_places(frame.x, *frame.in), by_places(frame.dy, *frame.out), frame.shared);
}

// Weights to whose gradient the sink's step can be applied by the kernel need no tile for it. Where rows are few, what a
// piece costs beside shows: then all that follow each other in a panel go at once.
template <class T>
void Linear<T>::gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine,
                          Sink<T>& sink) const {
  const ConstMatrix<T> x = by_places(frame.x, *frame.in), dy = by_places(frame.dy, *frame.out);
  const bool whole_chains = !pass.continues() && bf16_ == nullptr && x.rows <= kernels_.gemm.block_k;
  for (Size pieces = 1; !mine.empty() && !pass.me.stop(); mine = mine.subspan(pieces), pieces = 1) {
    Piece run = mine.front();
    const kernels::InPlace<T> in_place =
        whole_chains && run.parameter == kWeight ? sink.in_place(run) : kernels::InPlace<T>{};
    if (in_place.step == nullptr) {
      Layer<T>::gradients(pass, frame, mine.first(1), sink);
      continue;
    }
    for (; x.rows <= runtime::kFewRows && pieces < mine.size() && follows(run, mine[pieces]); ++pieces)
      run.count += mine[pieces].count;
    const kernels::NextRow<T> next = x.rows == 1 ? next_row(run, sink.ahead) : kernels::NextRow<T>{};
    ops::linear_step<T>(pass.kernels, x, dy, layout_, panel_rows(run), in_place, next, sink.prefetch);
    sink.applied(run);
  }
}

// What is ahead of a run of pieces, where it is a whole block: its bias comes before it (train/shares.cpp).
template <class T>
kernels::NextRow<T> Linear<T>::next_row(const Piece& run, Ahead<T>* ahead) const {
  if (ahead == nullptr || run.count != layout_.rows * layout_.width) return {};
  ++ahead->blocks;
  const Size col = run.block * layout_.width;
  return {ahead->x, has_bias() ? bias() + col : nullptr, ahead->y + col};
}

template <class T>
void Linear<T>::gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece,
                         const kernels::Prefetch& prefetch, T* out) const {
  const ConstMatrix<T> x = by_places(frame.x, *frame.in), dy = by_places(frame.dy, *frame.out);
  if (piece.parameter == kBias)
    return pass.kernels.reduce.column_sums(dy.rows, piece.count, dy.data + piece.offset, dy.row_stride,
                                           pass.continues() ? out : nullptr, out);
  const ops::PanelRows at = panel_rows(piece);
  if constexpr (kHasBf16)
    if (bf16_ != nullptr) return bf16_->gradient(dy.rows, at, frame.shared, out, prefetch);
  ops::linear_weight_gradient<T>(pass.kernels, pass.me, x, dy, layout_, at, pass.continues(), out, prefetch);
}

template <class T>
void Linear<T>::updated(const Piece& piece) {
  if (piece.parameter != kWeight) return;
  const ops::PanelRows at = panel_rows(piece);
  const ops::Panels<const T> w{weight(), layout_};
  if constexpr (kHasBf16)
    if (bf16_ != nullptr) return bf16_->updated(w, at, this->packed);
  if (this->packed == Packed::all) ops::transpose_piece<T>(kernels_, w, at, {transposed_.data(), transposed_layout_});
}

template <class T>
void Linear<T>::pack(Packed wanted) {
  if (this->packed >= wanted) return;
  const std::vector<Piece> all = pieces();  // what follows the allocations cannot fail
  if (bf16_ != nullptr)
    bf16_->allocate(wanted);
  else if (wanted == Packed::all && transposed_.size() == 0)
    transposed_ = core::Buffer<T>(transposed_layout_.size());
  this->packed = wanted;
  for (const Piece& piece : all) updated(piece);
}

template <class T>
void Linear<T>::use_bf16(const kernels::Bf16Kernels* kernels) {
  const bool suits = kernels != nullptr && LinearBf16::suits(layout_);
  bf16_ = suits ? std::make_unique<LinearBf16>(*kernels, layout_) : nullptr;
  Layer<T>::use_bf16(kernels);
  if (suits) transposed_ = {};
  this->packed = Packed::none;
}

template <class T>
typename Layer<T>::Tiny Linear<T>::tiny(kernels::TinyLayer<T>& layer) const {
  if (bf16_ != nullptr || layout_.cols > kernels_.tiny.max_out) return Layer<T>::Tiny::no;
  layer.in = layout_.rows, layer.out = layout_.cols;
  layer.weight = weight(), layer.bias = bias();
  return Layer<T>::Tiny::begins;
}

// The public weight is (out, in): the transpose of what the panels hold.
template <class T>
void Linear<T>::to_logical(Size i, const T* stored, T* logical, runtime::Cancel* cancel) const {
  if (i != kWeight) return Layer<T>::to_logical(i, stored, logical, cancel);
  ops::from_panels<T>(kernels_, {stored, layout_}, logical, cancel);
}

template <class T>
void Linear<T>::from_logical(Size i, const T* logical, T* stored, runtime::Cancel* cancel) const {
  if (i != kWeight) return Layer<T>::from_logical(i, logical, stored, cancel);
  ops::to_panels<T>(kernels_, logical, {stored, layout_}, cancel);
}

// Column j is what leads to output j: a bias is one number of each.
template <class T>
void Linear<T>::column_squares(const kernels::KernelTable<T>& kernels, Size i, const T* stored, Range part,
                               double* out) const {
  if (i != kWeight) return Layer<T>::column_squares(kernels, i, stored, part, out);
  std::fill(out + part.begin, out + part.end, 0.0);
  for (Size col = part.begin, count; col < part.end; col += count) {
    count = std::min(layout_.width - col % layout_.width, part.end - col);
    kernels.reduce.column_squares(layout_.rows, count, stored + layout_.offset(0, col),
                                  static_cast<core::Stride>(layout_.width), out + col);
  }
}

template class Linear<float>;
template class Linear<double>;

}  // namespace nnext::nn
