// y[m, out] = x[m, in] * weight[out, in]^T + bias[out]
#pragma once

#include <memory>

#include "nn/initializer.h"
#include "nn/layer.h"
#include "nn/linear_bf16.h"
#include "ops/panels.h"

namespace nnext::nn {

template <class T>
class Linear final : public Layer<T> {
 public:
  struct Config {
    Size in_features, out_features;
    bool bias;
    Initializer weight_init, bias_init;
  };
  Linear(const kernels::KernelTable<T>& kernels, const Config& config, std::uint64_t seed, Size index);

  Size in_features() const override { return layout_.rows; }
  Size out_features(Size in_features) const override;
  void forward(const Pass<T>& pass, ConstMatrix<T> x, Matrix<T> y) const override;
  Size blocks() const override { return layout_.panels(); }
  void forward_blocks(const Pass<T>& pass, ConstMatrix<T> x, Size first, Size last, Matrix<T> y) const override;
  void backward(const Pass<T>& pass, ConstMatrix<T> y, ConstMatrix<T> dy, Matrix<T> dx) const override;
  std::vector<Piece> pieces() const override;
  Size scratch_bytes(Size rows) const override { return bf16_ == nullptr ? 0 : bf16_->scratch_bytes(rows); }
  void prepare_gradient(const Pass<T>& pass, ConstMatrix<T> x, ConstMatrix<T> dy, std::byte* scratch) const override;
  void gradient(const Pass<T>& pass, const Piece& piece, ConstMatrix<T> x, ConstMatrix<T> dy, std::byte* scratch,
                T* out) const override;
  void updated(const Piece& piece) override;
  void refresh(Derived wanted) override;
  void use_bf16(const kernels::Bf16Kernels* kernels) override;
  bool rounds_to_bf16() const { return bf16_ != nullptr; }
  void to_logical(Size i, const T* stored, T* logical) const override;
  void from_logical(Size i, const T* logical, T* stored) const override;

 private:
  static constexpr Size kWeight = 0, kBias = 1;
  static constexpr bool kHasBf16 = std::is_same_v<T, float>;

  ops::PanelRows panel_rows(const Piece& piece) const;  // that a piece of the weight covers
  const T* bias() const { return this->parameters.size() > kBias ? this->parameters[kBias].values.data() : nullptr; }

  const kernels::KernelTable<T>& kernels_;
  ops::PanelLayout layout_, transposed_layout_;  // of weight^T [in, out], and of weight [out, in] for dx
  core::Buffer<T> transposed_;                   // empty until a refresh() wants it
  std::unique_ptr<LinearBf16> bf16_;             // null: products of T
};

}  // namespace nnext::nn
