#include "nn/linear.h"

#include "core/errors.h"
#include "ops/linear.h"

namespace nnext::nn {

template <class T>
Linear<T>::Linear(const kernels::KernelTable<T>& kernels, const Config& config, std::uint64_t seed, Size index)
    : kernels_(kernels),
      layout_(kernels, config.in_features, config.out_features),
      transposed_layout_(kernels, config.out_features, config.in_features) {
  const Size in = config.in_features, out = config.out_features;
  const auto draw = [&](Size parameter, const Initializer& initializer, Size rows, Size cols) {
    core::Buffer<T> logical(core::checked_product(rows, cols));
    const core::PhiloxStream stream(seed, core::Purpose::initialize, index * 4 + parameter, 0);
    initialize(initializer, stream, in, out, Matrix<T>(logical.data(), rows, cols));
    this->from_logical(parameter, logical.data(), this->parameters[parameter].values.data());
  };
  this->parameters.push_back({"weight", {out, in}, core::Buffer<T>(layout_.size())});
  draw(kWeight, config.weight_init, out, in);
  if (config.bias) {
    this->parameters.push_back({"bias", {out}, core::Buffer<T>(out)});
    draw(kBias, config.bias_init, out, 1);
  }
}

template <class T>
Size Linear<T>::out_features(Size in_features) const {
  if (in_features != layout_.rows)
    core::fail_value("[linear] x has ", in_features, " features but the layer expects ", layout_.rows,
                     "; change in_features or what comes before the layer");
  return layout_.cols;
}

template <class T>
void Linear<T>::forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y) const {
  forward_blocks(pass, x, 0, blocks(), y);
}

template <class T>
void Linear<T>::forward_blocks(const Pass<T>& pass, ConstMatrix<T> x, Size first, Size last, Matrix<T> y) const {
  if constexpr (kHasBf16)
    if (bf16_ != nullptr && pass.training) return bf16_->forward(pass.me, x, {first, last}, bias(), y);
  ops::linear<T>(pass.kernels, pass.me, x, {this->parameters[kWeight].values.data(), layout_}, {first, last}, bias(),
                 y);
}

template <class T>
void Linear<T>::backward(const Pass<T>& pass, ConstMatrix<T>, ConstMatrix<T> dy, Matrix<T> dx) const {
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
      all.push_back(
          {kWeight, layout_.offset(first, p * layout_.width), std::min(rows, layout_.rows - first) * layout_.width, p});
  if (bias() != nullptr)
    for (Size first = 0; first < layout_.cols; first += kMaxPiece)
      all.push_back({kBias, first, std::min(kMaxPiece, layout_.cols - first)});
  return all;
}

template <class T>
ops::PanelRows Linear<T>::panel_rows(const Piece& piece) const {
  const Size row = piece.offset / layout_.width;
  return {row / layout_.rows, row % layout_.rows, piece.count / layout_.width};
}

template <class T>
void Linear<T>::prepare_gradient(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T> dy, std::byte* scratch) const {
  if constexpr (kHasBf16)
    if (bf16_ != nullptr) bf16_->prepare_gradient(pass.me, x, dy, scratch);
}

template <class T>
void Linear<T>::gradient(const Pass<T>& pass, const Piece& piece, ConstMatrix<T> x, ConstMatrix<T> dy,
                         std::byte* scratch, T* out) const {
  if (piece.parameter == kBias)
    return pass.kernels.reduce.column_sums(dy.rows, piece.count, dy.data + piece.offset, dy.row_stride, out);
  const ops::PanelRows at = panel_rows(piece);
  if constexpr (kHasBf16)
    if (bf16_ != nullptr) return bf16_->gradient(x.rows, at, scratch, out);
  ops::linear_weight_gradient(pass.kernels, pass.me, x, dy, layout_, at, out, pass.prefetch);
}

template <class T>
void Linear<T>::updated(const Piece& piece) {
  if (piece.parameter != kWeight) return;
  const ops::PanelRows at = panel_rows(piece);
  const ops::Panels<const T> w{this->parameters[kWeight].values.data(), layout_};
  if constexpr (kHasBf16)
    if (bf16_ != nullptr) return bf16_->updated(w, at, this->fresh);
  if (this->fresh == Derived::all) ops::transpose_piece<T>(kernels_, w, at, {transposed_.data(), transposed_layout_});
}

template <class T>
void Linear<T>::refresh(Derived wanted) {
  if (this->fresh >= wanted) return;
  if (bf16_ != nullptr)
    bf16_->allocate(wanted);
  else if (wanted == Derived::all && transposed_.size() == 0)
    transposed_ = core::Buffer<T>(transposed_layout_.size());
  this->fresh = wanted;
  for (const Piece& piece : pieces()) updated(piece);
}

template <class T>
void Linear<T>::use_bf16(const kernels::Bf16Kernels* kernels) {
  const bool suits = kernels != nullptr && LinearBf16::suits(layout_);
  bf16_ = suits ? std::make_unique<LinearBf16>(*kernels, layout_) : nullptr;
  if (suits) transposed_ = {};
  this->fresh = Derived::none;
}

// The public weight is (out, in): the transpose of what the panels hold.
template <class T>
void Linear<T>::to_logical(Size i, const T* stored, T* logical) const {
  if (i != kWeight) return Layer<T>::to_logical(i, stored, logical);
  ops::from_panels<T>({stored, layout_}, Matrix<T>(logical, layout_.cols, layout_.rows).transposed());
}

template <class T>
void Linear<T>::from_logical(Size i, const T* logical, T* stored) const {
  if (i != kWeight) return Layer<T>::from_logical(i, logical, stored);
  ops::to_panels<T>(ConstMatrix<T>(logical, layout_.cols, layout_.rows).transposed(), {stored, layout_});
}

template class Linear<float>;
template class Linear<double>;

}  // namespace nnext::nn
