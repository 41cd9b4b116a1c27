// Batch normalization: y = (x - mean) / sqrt(variance + eps) * weight + bias for each feature, with the mean and the
// variance of the batch in training and their running means otherwise. Ioffe and Szegedy, ICML 2015.
#pragma once

#include "core/config.h"
#include "nn/layer.h"

namespace nnext::nn {

// The batch's statistics are sums over all its rows. Each chunk of kChunk rows, always the same ones, is summed by the
// member that has it; after a barrier every member adds the chunks' sums in their order. So no bit depends on the team.
template <class T>
class BatchNorm1d final : public Layer<T> {
 public:
  explicit BatchNorm1d(const core::Config& config);

  Size in_features() const override { return features_; }
  Size out_features(Size in_features) const override;
  Traits traits(bool training) const override;
  Room room(Size in_features, Size rows, bool training) const override;
  int rounds(bool training) const override { return uses_batch(training) ? 2 : 1; }
  void forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const override;
  void initialize(const Streams& streams) override;
  std::vector<Piece> pieces() const override;
  void update_buffer(const Piece& piece, const T* observed) override;

 protected:
  void gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, const kernels::Prefetch& prefetch,
                T* out) const override;

 private:
  static constexpr Size kChunk = 32;  // rows
  enum Tensor : Size { kWeight, kBias, kRunningMean, kRunningVar, kBatches };
  // Frame::shared holds these of each chunk, one after the other; Frame::own of the whole batch.
  enum Sums : Size { kMean, kSquares, kDySum, kDyDot, kSums };
  enum Own : Size { kCentre, kScale, kShift, kPrecision, kDyMean, kDySlope, kZero, kOwn };

  bool uses_batch(bool training) const { return training && this->trainable; }
  static Size chunks(Size rows) { return core::divide_up(rows, kChunk); }
  T* sums(const Frame<T>& frame, Sums which, Size chunk) const {
    return reinterpret_cast<T*>(frame.shared) + (chunk * kSums + which) * features_;
  }
  T* own(const Frame<T>& frame, Own which) const { return reinterpret_cast<T*>(frame.own) + which * features_; }
  T* tensor(Tensor which) { return this->parameters[index(which)].values.data(); }
  const T* tensor(Tensor which) const { return this->parameters[index(which)].values.data(); }
  Size index(Tensor which) const { return affine_ ? which : which - kRunningMean; }
  T weight(Size j) const { return affine_ ? tensor(kWeight)[j] : T(1); }

  struct Moments {
    double mean, variance;  // biased: of these rows
  };
  Moments moments(const Frame<T>& frame, Size feature) const;
  double total(const Frame<T>& frame, Sums which, Size feature) const;  // over all chunks
  template <class F>
  void for_chunks(const Part& part, F f) const;
  void normalize_by(const Frame<T>& frame, bool of_batch) const;
  void average_gradients(const Frame<T>& frame) const;

  Size features_;
  double eps_, momentum_;  // momentum < 0: cumulative mean
  bool affine_;
};

}  // namespace nnext::nn
