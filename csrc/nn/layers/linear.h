// y[m, out] = x[m, in] * weight[out, in]^T + bias[out], in every place alike.
#pragma once

#include <memory>

#include "core/config.h"
#include "nn/initializer.h"
#include "nn/layer.h"
#include "nn/layers/linear_bf16.h"
#include "ops/panels.h"

namespace nnext::nn {

template <class T>
class Linear : public Layer<T> {
 public:
  Linear(const kernels::KernelTable<T>& kernels, const core::Config& config);

  std::optional<Intake> intake() const override { return Intake{.channels = layout_.rows}; }
  Shape out_shape(std::span<const Shape> in) const override;
  Traits traits(const Shape&, bool) const override { return {.reads_x = true}; }
  Room room(const Shape& in, Size rows, bool training) const override;
  Size feature_blocks() const override { return layout_.panels(); }
  bool goes_ahead() const override { return bf16_ == nullptr; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void initialize(const Streams& streams, runtime::Cancel& cancel) override;
  std::vector<Piece> pieces() const override;
  bool prepares_gradients() const override { return bf16_ != nullptr; }
  void prepare_gradients(const Pass<T>& pass, const Frame<T>& frame) const override;
  void gradients(const Pass<T>& pass, const Frame<T>& frame, std::span<const Piece> mine, Sink<T>& sink) const override;
  void updated(const Piece& piece) override;
  void pack(Packed wanted) override;
  void use_bf16(const kernels::Bf16Kernels* kernels) override;
  typename Layer<T>::Tiny tiny(kernels::TinyLayer<T>& layer) const override;
  void to_logical(Size i, const T* stored, T* logical, runtime::Cancel* cancel) const override;
  void from_logical(Size i, const T* logical, T* stored, runtime::Cancel* cancel) const override;
  Size columns(Size) const override { return layout_.cols; }
  void column_squares(const kernels::KernelTable<T>& kernels, Size i, const T* stored, Range part,
                      double* out) const override;

 protected:
  static constexpr Size kWeight = 0, kBias = 1;

  // With outputs, and a bias, of which the fields of another layer tell.
  Linear(const kernels::KernelTable<T>& kernels, const core::Config& config, Size out_features, bool bias);
  void gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, const kernels::Prefetch& prefetch,
                T* out) const override;

  ops::PanelRows panel_rows(const Piece& piece) const;  // that a piece of the weight covers
  kernels::NextRow<T> next_row(const Piece& run, Ahead<T>* ahead) const;
  const T* weight() const { return this->parameters[kWeight].values.data(); }
  bool has_bias() const { return this->parameters.size() > kBias; }
  const T* bias() const { return has_bias() ? this->parameters[kBias].values.data() : nullptr; }

  const kernels::KernelTable<T>& kernels_;
  Initializer weight_init_, bias_init_;
  ops::PanelLayout layout_, transposed_layout_;  // of weight^T [in, out], and of weight [out, in] for dx
  core::Buffer<T> transposed_;                   // empty until pack() wants it

 private:
  static constexpr bool kHasBf16 = std::is_same_v<T, float>;

  std::unique_ptr<LinearBf16> bf16_;  // null: products of T
};

}  // namespace nnext::nn
