// Layer normalization: y = (x - mean) / sqrt(variance + eps) * weight + bias over the last axes of each sample.
// J. L. Ba, J. R. Kiros and G. E. Hinton, arXiv:1607.06450 (2016). And RMS normalization, y = x / sqrt(mean of x^2 + eps)
// * weight. B. Zhang and R. Sennrich, NeurIPS 2019.
#pragma once

#include "core/config.h"
#include "nn/layer.h"

namespace nnext::nn {

// Its rows are what is normalized together, in the order in which people write it: several a sample where the axes
// before are not among them. Images, which lie otherwise, are turned into the scratch first.
template <class T>
class LayerNorm final : public Layer<T> {
 public:
  // Which of both is what the kernels compute.
  LayerNorm(const char* operation, const kernels::RowNormKernels<T>& kernels, const core::Config& config);

  std::optional<Intake> intake() const override;
  bool joins_places() const override { return extents_.size() > 1; }
  Shape out_shape(std::span<const Shape> in) const override;
  Traits traits(const Shape& in, bool training) const override;
  Room room(const Shape& in, Size rows, bool training) const override;
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void initialize(const Streams& streams, runtime::Cancel& cancel) override;

 protected:
  void gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, const kernels::Prefetch& prefetch,
                T* out) const override;

 private:
  static constexpr Size kWeight = 0, kBias = 1;

  const T* parameter(Size i) const { return i < this->parameters.size() ? this->parameters[i].values.data() : nullptr; }
  Size rows(const Shape& in) const { return in.numbers() / numbers_; }  // of a sample

  const char* operation_;
  const kernels::RowNormKernels<T>& kernels_;
  std::vector<Size> extents_;  // as people write them
  Size numbers_ = 1;           // their product
  T eps_;
};

}  // namespace nnext::nn
