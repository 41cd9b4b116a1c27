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
  ops::linear<T>(pass.kernels, pass.me, x, {this->parameters[kWeight].values.data(), layout_}, {first, last}, bias(),
                 y);
}

template <class T>
void Linear<T>::backward(const Pass<T>& pass, ConstMatrix<T>, ConstMatrix<T> dy, Matrix<T> dx) const {
  ops::linear<T>(pass.kernels, pass.me, dy, {transposed_.data(), transposed_layout_}, {0, transposed_layout_.panels()},
                 nullptr, dx);
}

// Rows of a panel in the outer loop: the columns of x that they read stay in L1 for every panel.
template <class T>
std::vector<Piece> Linear<T>::pieces() const {
  std::vector<Piece> all;
  const Size rows = std::max<Size>(1, kMaxPiece / layout_.width);
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
void Linear<T>::gradient(const Pass<T>& pass, const Piece& piece, ConstMatrix<T> x, ConstMatrix<T> dy, T* out) const {
  if (piece.parameter == kBias)
    return pass.kernels.reduce.column_sums(dy.rows, piece.count, dy.data + piece.offset, dy.row_stride, out);
  const ops::PanelRows at = panel_rows(piece);
  ops::linear_weight_gradient(pass.kernels, pass.me, x, dy, layout_, at, out, pass.soon);
}

template <class T>
void Linear<T>::updated(const Piece& piece) {
  if (piece.parameter != kWeight) return;
  ops::transpose_piece<T>(kernels_, {this->parameters[kWeight].values.data(), layout_}, panel_rows(piece),
                          {transposed_.data(), transposed_layout_});
}

template <class T>
void Linear<T>::refresh() {
  if (!this->stale) return;
  if (transposed_.size() == 0) transposed_ = core::Buffer<T>(transposed_layout_.size());
  for (const Piece& piece : pieces()) updated(piece);
  this->stale = false;
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
