#include "nn/layers/embedding.h"

#include <limits>

#include "core/errors.h"

namespace nnext::nn {

template <class T>
Embedding<T>::Embedding(const kernels::KernelTable<T>& kernels, const core::Config& config)
    : kernels_(kernels),
      init_(make_initializer(config.child("weight_init"))),
      vectors_(config.size("num_embeddings")),
      size_(config.size("embedding_dim")),
      padding_(config.has("padding_idx") ? static_cast<Size>(config.number("padding_idx")) : vectors_) {
  if (vectors_ > Size{1} << std::numeric_limits<T>::digits)
    core::fail_value("[embedding] num_embeddings is ", vectors_, " but float32 tells whole numbers apart up to ",
                     Size{1} << std::numeric_limits<T>::digits, "; make the network with dtype=\"float64\"");
  this->parameters.push_back({"weight", {vectors_, size_}, core::checked_product(vectors_, size_)});
}

template <class T>
Shape Embedding<T>::out_shape(std::span<const Shape> in) const {
  const Shape& x = in.front();
  if (x.axes != 1 || !x.single)
    core::fail_value("[embedding] x is ", text(x),
                     " a sample but the layer takes a row of whole numbers; put it first, ",
                     "and give X of shape (samples, steps)");
  return Shape(std::span(x.space).first(1), size_, false);
}

template <class T>
Room Embedding<T>::room(const Shape& in, Size rows, bool training) const {
  const Size positions = rows * in.places();
  return {.scratch = training ? (lists() + positions) * sizeof(Position) : 0,
          .flops = static_cast<double>(in.places() * size_)};
}

template <class T>
void Embedding<T>::forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int) const {
  for (Size i = part.begin; i < part.end && !pass.me.stop(); ++i) {
    const T* const x = frame.x.row(i);
    T* y = frame.y.row(i);
    for (Size t = 0; t < frame.x.cols; ++t, y += size_) {
      const Size vector = vector_of(x[t]);
      if (vector < vectors_)
        std::copy_n(weight() + vector * size_, size_, y);
      else
        std::fill_n(y, size_, std::numeric_limits<T>::quiet_NaN());
    }
  }
}

// x is no quantity.
template <class T>
void Embedding<T>::backward(const Pass<T>&, const Frame<T>& frame, const Part& part, int) const {
  std::fill_n(frame.dx.row(part.begin), part.size() * frame.dx.cols, T{0});
}

// Whole vectors, or one in parts.
template <class T>
std::vector<Piece> Embedding<T>::pieces() const {
  std::vector<Piece> all;
  const Size block = vectors_a_piece() * size_, numbers = this->parameters[0].stored;
  for (Size begin = 0; begin < numbers; begin += block)
    for (Size first = begin, end = std::min(begin + block, numbers); first < end; first += kMaxPiece)
      all.push_back({.offset = first, .count = std::min(kMaxPiece, end - first), .group = all.size()});
  return all;
}

// The positions of the numbers whose vectors are in the same pieces, in their order: so each piece finds its own.
template <class T>
struct Embedding<T>::Lists {
  Position *first, *next;

  Lists(const Embedding& layer, const Frame<T>& frame)
      : first(reinterpret_cast<Position*>(frame.scratch)), next(first + layer.lists()) {
    std::fill_n(first, layer.lists(), kNone);
    for (Size i = frame.rows() * frame.x.cols; i-- > 0;) {
      const Size vector = layer.vector_of(frame.x.data[i]);
      if (vector == layer.vectors_ || vector == layer.padding_) continue;
      Position& list = first[vector / layer.vectors_a_piece()];
      next[i] = list, list = static_cast<Position>(i);
    }
  }
};

template <class T>
void Embedding<T>::gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine,
                             Sink<T>& sink) const {
  const Lists lists(*this, frame);
  for (const Piece& piece : mine) {
    if (pass.me.stop()) return;
    T* const out = sink.at(piece);
    if (!pass.continues()) std::fill_n(out, piece.count, T{0});
    const Size count = std::min(size_, piece.count), col = piece.offset % size_;
    for (Position i = lists.first[piece.offset / size_ / vectors_a_piece()]; i != kNone; i = lists.next[i]) {
      T* const to = out + vector_of(frame.x.data[i]) * size_ + col - piece.offset;
      kernels_.elementwise.add(count, to, frame.dy.data + i * size_ + col, to);
    }
    sink.done(piece);
  }
}

template <class T>
void Embedding<T>::initialize(const Streams& streams, runtime::Cancel& cancel) {
  T* const values = this->parameters[0].values.data();
  nn::initialize(kernels_.noise, init_, streams.parameter(0), vectors_, size_, Matrix<T>(values, vectors_, size_),
                 cancel);
  if (padding_ < vectors_) std::fill_n(values + padding_ * size_, size_, T{0});
}

template <class T>
void Embedding<T>::column_squares(const kernels::KernelTable<T>& kernels, Size, const T* stored, Range part,
                                  double* out) const {
  std::fill(out + part.begin, out + part.end, 0.0);
  kernels.reduce.column_squares(vectors_, part.size(), stored + part.begin, static_cast<core::Stride>(size_),
                                out + part.begin);
}

template class Embedding<float>;
template class Embedding<double>;

}  // namespace nnext::nn
