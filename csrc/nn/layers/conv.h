// Convolution of images with windows of weight[out, in / groups, kh, kw], plus bias[out]; of signals and sequences, which
// are images of one line, with weight[out, in / groups, k].
#pragma once

#include "core/config.h"
#include "nn/initializer.h"
#include "nn/layer.h"
#include "nn/layers/windows.h"
#include "ops/convolution.h"

namespace nnext::nn {

template <class T>
class Conv final : public Layer<T> {
 public:
  Conv(const kernels::KernelTable<T>& kernels, const core::Config& config, int axes);

  std::optional<Intake> intake() const override { return Intake{in_channels_, axes_, true}; }
  bool joins_places() const override {
    return axes_ == 1;
  }  // images do not come of features, whose number is not known
  bool takes_lengths() const override { return axes_ == 1; }  // what comes after the end is 0, as padding is
  Size out_length(Size in_length) const override { return window_length(windows_, in_length); }
  Shape out_shape(std::span<const Shape> in) const override;
  Traits traits(const Shape&, bool) const override { return {.reads_x = true}; }
  Room room(const Shape& in, Size rows, bool training) const override;
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void initialize(const Streams& streams, runtime::Cancel& cancel) override;
  std::vector<Piece> pieces() const override;
  void gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine, Sink<T>& sink) const override;
  void updated(const Piece& piece) override;
  void pack(Packed wanted) override;
  void to_logical(Size i, const T* stored, T* logical, runtime::Cancel* cancel) const override;
  void from_logical(Size i, const T* logical, T* stored, runtime::Cancel* cancel) const override;
  Size columns(Size) const override { return out_channels_; }
  void column_squares(const kernels::KernelTable<T>& kernels, Size i, const T* stored, Range part,
                      double* out) const override;

 private:
  static constexpr Size kWeight = 0, kBias = 1;
  struct Scratch;

  ops::ConvShape shape(const Shape& in) const;
  ops::Convolution<T> convolution(const Frame<T>& frame) const { return {kernels_, shape(*frame.in)}; }
  Size piece_rows() const { return std::max<Size>(1, kMaxPiece / layout_.weights.width); }
  Size weight_pieces() const;
  void weight_gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine, Sink<T>& sink) const;
  void bias_gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, T* out) const;
  template <class F>
  void for_each_weight(runtime::Cancel* cancel, F f) const;  // f(stored place, place in the public shape)
  const ops::Window& h() const { return windows_[0]; }
  const ops::Window& w() const { return windows_[1]; }
  const T* weight() const { return this->parameters[kWeight].values.data(); }
  bool has_bias() const { return this->parameters.size() > kBias; }
  const T* bias() const { return has_bias() ? this->parameters[kBias].values.data() : nullptr; }

  const kernels::KernelTable<T>& kernels_;
  const char* operation_;
  int axes_;
  Initializer weight_init_, bias_init_;
  Windows windows_;
  Size in_channels_, out_channels_, groups_;
  ops::ConvLayout<T> layout_;
  core::Buffer<T> transposed_;  // empty until pack() wants it
};

}  // namespace nnext::nn
