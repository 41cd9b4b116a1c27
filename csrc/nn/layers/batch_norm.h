// Batch normalization: y = (x - mean) / sqrt(variance + eps) * weight + bias for each channel, with the mean and the
// variance of the batch (over all rows and places) in training and their running means otherwise. Ioffe and Szegedy,
// ICML 2015.
#pragma once

#include "core/config.h"
#include "nn/layer.h"

namespace nnext::nn {

// The batch's statistics are sums over all its places. Each chunk, always the same ones, is summed by the member that
// has it; after a barrier every member adds the chunks' sums in their order. So no bit depends on the team.
template <class T>
class BatchNorm final : public Layer<T> {
 public:
  // Samples have `axes` beside their channels: 0 are rows of features, 2 images.
  BatchNorm(const core::Config& config, int axes);

  std::optional<Intake> intake() const override;
  bool takes_lengths() const override { return false; }  // its statistics would be of what comes after an end, too
  Shape out_shape(std::span<const Shape> in) const override;
  Traits traits(const Shape& in, bool training) const override;
  Room room(const Shape& in, Size rows, bool training) const override;
  int rounds(bool training) const override { return uses_batch(training) ? 2 : 1; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void initialize(const Streams& streams, runtime::Cancel& cancel) override;
  void update_buffer(const Piece& piece, const T* observed) override;

 protected:
  void gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, const kernels::Prefetch& prefetch,
                T* out) const override;

 private:
  enum Tensor : Size { kWeight, kBias, kRunningMean, kRunningVar, kBatches };
  // Frame::shared holds these of each chunk, one after the other; Frame::own of the whole batch.
  enum Sums : Size { kMean, kSquares, kDySum, kDyDot, kSums };
  enum Own : Size { kCentre, kScale, kShift, kPrecision, kDyMean, kDySlope, kZero, kOwn };

  bool uses_batch(bool training) const { return training && this->trainable; }
  struct Chunks;
  T* sums(const Frame<T>& frame, Sums which, Size chunk) const {
    return reinterpret_cast<T*>(frame.shared) + (chunk * kSums + which) * features_;
  }
  T* own(const Frame<T>& frame, Own which) const { return reinterpret_cast<T*>(frame.own) + which * features_; }
  T* tensor(Tensor which) { return this->parameters[index(which)].values.data(); }
  const T* tensor(Tensor which) const { return this->parameters[index(which)].values.data(); }
  Size index(Tensor which) const { return affine_ ? which : which - kRunningMean; }
  T weight(Size j) const { return affine_ ? tensor(kWeight)[j] : T(1); }

  struct Moments {
    double mean, variance;  // biased: of these places
  };
  Moments moments(const Frame<T>& frame, Size feature) const;
  double total(const Frame<T>& frame, Sums which, Size feature) const;  // over all chunks
  void normalize_by(const Frame<T>& frame, bool of_batch) const;
  void average_gradients(const Frame<T>& frame) const;

  Size features_;
  int axes_;
  double eps_, momentum_;  // momentum < 0: cumulative mean
  bool affine_;
};

}  // namespace nnext::nn
