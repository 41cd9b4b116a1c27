// Whole epochs of training: every sample once, batch by batch, without leaving C++.
#pragma once

#include <memory>

#include "ops/loss.h"
#include "train/batch.h"
#include "train/snapshots.h"

namespace nnext::train {

template <class T>
struct Samples {
  ConstMatrix<T> x;
  ops::Targets<T> targets;
  const T* weights = nullptr;  // null: all 1
  Matrix<T> outputs;           // where the network's outputs go, in the order of x; empty: nowhere
};

inline constexpr Size kMaxSamples = UINT32_MAX;  // their order is kept in 32 bits

struct EpochOptions {
  Size batch_size = 32;
  bool shuffle = true;
  double lr = 1e-3;
};

enum class Ended { finished, cancelled, diverged };

struct EpochReport {
  double loss = 0;  // (weighted) mean over the samples seen
  Size steps = 0;   // done, also where they were taken back after divergence
  Ended ended = Ended::finished;
};

// A permutation of 0 .. n - 1 (Fisher and Yates), a function of seed and epoch.
std::vector<std::uint32_t> shuffled_order(std::uint64_t seed, std::uint64_t epoch, Size n);

// The epochs of one fit, and what they reuse. Whenever run_epoch() returns, parameters and counters are at a whole step;
// after divergence at the last step whose loss was finite.
template <class T>
class Fit {
 public:
  explicit Fit(State<T>& state) : state_(state) {}
  EpochReport run_epoch(const Samples<T>& samples, const EpochOptions& options);

 private:
  struct Epoch;
  struct Batch;
  void prepare(const Samples<T>& samples, const EpochOptions& options);
  std::vector<std::uint32_t> sample_order(Size n, bool shuffle) const;
  Batch batch(Epoch& epoch, Size step);
  void gather(Epoch& epoch, const Batch& batch, runtime::Range rows);
  void forward_and_backward(Epoch& epoch, const Batch& batch, const nn::Pass<T>& pass, runtime::Range rows);
  void update(const Batch& batch, const nn::Pass<T>& pass, runtime::Range tasks, T* tile);
  void run_steps(Epoch& epoch, Size until);
  void go_back(Epoch& epoch);

  State<T>& state_;
  Snapshots<T> snapshots_;
  std::unique_ptr<Plan<T>> plan_;
  std::vector<GradientTask<T>> tasks_;
  Size first_trainable_ = 0;
};

}  // namespace nnext::train
