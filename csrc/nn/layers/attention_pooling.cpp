#include "nn/layers/attention_pooling.h"

#include "core/errors.h"
#include "nn/layers/windows.h"
#include "ops/activation.h"
#include "ops/linear.h"
#include "ops/vector_products.h"

namespace nnext::nn {

template <class T>
AttentionPooling<T>::AttentionPooling(const kernels::KernelTable<T>& kernels, const core::Config& config)
    : Linear<T>(kernels, config, config.size("attention_size"), true),
      context_init_(make_initializer(config.child("context_init"))),
      tanh_(ops::find_activation(kernels, "tanh")) {
  this->parameters.push_back({"context", {attention_size()}, attention_size()});
}

template <class T>
void AttentionPooling<T>::initialize(const Streams& streams, runtime::Cancel& cancel) {
  Linear<T>::initialize(streams, cancel);
  if (cancel.requested()) return;
  T* const values = this->parameters[kContext].values.data();
  nn::initialize(this->kernels_.noise, context_init_, streams.parameter(kContext), attention_size(), 1,
                 Matrix<T>(values, 1, attention_size()), cancel);
}

template <class T>
Shape AttentionPooling<T>::out_shape(std::span<const Shape> in) const {
  const Shape& x = in.front();
  require_axes("attention_pooling", x, 1);
  if (x.channels != this->layout_.rows)
    core::fail_value("[attention_pooling] x has ", x.channels, x.channels_first ? " channels" : " features",
                     " but the layer expects ", this->layout_.rows,
                     "; change in_features or what comes before the layer");
  return x.channels;
}

template <class T>
Room AttentionPooling<T>::room(const Shape& in, Size, bool training) const {
  const Size places = in.places(), step = attention_size() + 1;
  const auto in_features = static_cast<double>(in.channels), size = static_cast<double>(attention_size());
  return {.saved = training ? 2 * places * step : 0,
          .scratch = training ? 0 : places * step * sizeof(T),
          .flops = static_cast<double>(places) * (2 * in_features * size + 16 * size + 2 * in_features)};
}

template <class T>
typename AttentionPooling<T>::Steps AttentionPooling<T>::steps(const Frame<T>& frame, Size row) const {
  const Size places = frame.in->places(), all = places * attention_size();
  if (frame.saved.data == nullptr) {
    T* const p = reinterpret_cast<T*>(frame.scratch);
    return {p, nullptr, p + places, nullptr};
  }
  T* const p = frame.saved.row(row);
  return {p, p + places, p + 2 * places, p + 2 * places + all};
}

template <class T>
void AttentionPooling<T>::forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  const Size features = frame.in->channels, size = attention_size();
  for (Size i = part.begin; i < part.end && !pass.me.stop(); ++i) {
    const auto [p, de, u, dz] = steps(frame, i);
    const T* const x = frame.x.row(i);
    const Size length = frame.in_length(i);
    if (length > 0) {
      ops::linear<T>(pass.kernels, pass.me, {x, length, features}, {this->weight(), this->layout_},
                     {0, this->layout_.panels()}, this->bias(), {u, length, size});
      tanh_.forward(length * size, {}, u, u);
      ops::matrix_times_vector(pass.kernels, length, size, u, context(), p);
      pass.kernels.softmax.forward(1, length, p, p);
    }
    ops::vector_times_matrix<T>(pass.kernels, length, features, p, x, features, nullptr, frame.y.row(i));
  }
}

// dp[t] = x[t] . dy, de from that by the softmax, dz = de context (1 - u^2), dx = dz weight + p dy.
template <class T>
void AttentionPooling<T>::backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  const Size features = frame.in->channels, size = attention_size();
  for (Size i = part.begin; i < part.end && !pass.me.stop(); ++i) {
    const Size length = frame.in_length(i);
    if (length == 0) continue;
    const auto [p, de, u, dz] = steps(frame, i);
    const T* const dy = frame.dy.row(i);
    ops::matrix_times_vector(pass.kernels, length, features, frame.x.row(i), dy, de);
    pass.kernels.softmax.backward(1, length, p, de, de);
    ops::outer_product<T>(pass.kernels, length, size, de, context(), nullptr, dz);
    tanh_.backward(length * size, {}, u, dz, dz);
    if (this->packed != Packed::all) continue;  // nobody wants dx
    T* const dx = frame.dx.row(i);
    ops::linear<T>(pass.kernels, pass.me, {dz, length, size}, {this->transposed_.data(), this->transposed_layout_},
                   {0, this->transposed_layout_.panels()}, nullptr, {dx, length, features});
    ops::outer_product<T>(pass.kernels, length, features, p, dy, dx, dx);
  }
}

template <class T>
std::vector<Piece> AttentionPooling<T>::pieces() const {
  std::vector<Piece> all = Linear<T>::pieces();
  for (Size first = 0; first < attention_size(); first += kMaxPiece)
    all.push_back({.parameter = kContext,
                   .offset = first,
                   .count = std::min(kMaxPiece, attention_size() - first),
                   .group = all.size()});
  return all;
}

// Chains over the steps of one row after the other.
template <class T>
void AttentionPooling<T>::gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece,
                                   const kernels::Prefetch& prefetch, T* out) const {
  const Size features = frame.in->channels, size = attention_size();
  if (!pass.continues()) std::fill_n(out, piece.count, T{0});
  for (Size i = 0; i < frame.rows() && !pass.me.stop(); ++i) {
    const Size length = frame.in_length(i);
    const auto [p, de, u, dz] = steps(frame, i);
    if (piece.parameter == kContext)
      ops::vector_times_matrix<T>(pass.kernels, length, piece.count, de, u + piece.offset, size, out, out);
    else if (piece.parameter == this->kBias)
      pass.kernels.reduce.column_sums(length, piece.count, dz + piece.offset, static_cast<core::Stride>(size), out,
                                      out);
    else
      ops::linear_weight_gradient<T>(pass.kernels, pass.me, {frame.x.row(i), length, features}, {dz, length, size},
                                     this->layout_, this->panel_rows(piece), true, out,
                                     i == 0 ? prefetch : kernels::Prefetch{});
  }
}

template class AttentionPooling<float>;
template class AttentionPooling<double>;

}  // namespace nnext::nn
