// Whole epochs of training: every sample once, batch by batch, without leaving C++.
#pragma once

#include <memory>

#include "ops/loss.h"
#include "train/batch.h"
#include "train/input_rows.h"
#include "train/shuffle.h"
#include "train/snapshots.h"
#include "train/tiny.h"

namespace nnext::train {

template <class T>
struct Samples {
  InputRows<T> x;
  ops::Targets<T> targets;
  const T* weights = nullptr;  // null: all 1
  Matrix<T> outputs;           // where the network's outputs go, in the order of x; empty: nowhere
};

struct EpochOptions {
  Size batch_size = 32;
  bool shuffle = true;
  double lr = 1e-3;
};

struct EpochReport {
  double loss = 0;  // (weighted) mean over the samples seen
  Size steps = 0;   // done, also where they were taken back after divergence
  bool diverged = false;
};

// The epochs of one fit, and what they reuse. Whenever run_epoch() returns or throws, and whenever the gate is open,
// parameters and counters are at a whole step; after divergence at the last step whose loss was finite.
template <class T>
class Fit {
 public:
  explicit Fit(State<T>& state) : state_(state) {}
  // Ends early when the host asks to stop.
  EpochReport run_epoch(const Samples<T>& samples, const EpochOptions& options, runtime::Cancel& cancel);

 private:
  struct Epoch;
  struct Batch;
  void prepare(const Samples<T>& samples, const EpochOptions& options);
  std::vector<std::uint32_t> sample_order(const InputRows<T>& x, bool shuffle, runtime::Cancel& cancel) const;
  Batch batch(Epoch& epoch, Size step);
  void gather_x(const Epoch& epoch, const Batch& batch, runtime::Range rows, Matrix<T> to) const;
  void gather_targets(Epoch& epoch, const Batch& batch, runtime::Range rows);
  void forward_first(Epoch& epoch, Batch& batch, const nn::Pass<T>& pass);
  void forward_and_backward(Epoch& epoch, const Batch& batch, const nn::Pass<T>& pass, runtime::Range rows);
  void update(Epoch& epoch, const Batch& batch, nn::Pass<T> pass);
  double step_flops() const {
    return 3 * plan_->flops_per_row() * static_cast<double>(plan_->batch());
  }  // forward, and twice as much backward
  nn::Pass<T> training_pass(const runtime::Member& me, std::uint64_t step) const {
    return {state_.network.kernels, me, state_.network.seed, step, true};
  }
  void run_until(Epoch& epoch, Size until);
  void run_steps(Epoch& epoch, Size until);
  void run_long_step(Epoch& epoch);
  void count_step(Epoch& epoch, const Batch& batch, double loss);
  void go_back(Epoch& epoch);

  State<T>& state_;
  Snapshots<T> snapshots_;
  std::unique_ptr<Plan<T>> plan_;
  std::vector<GradientTask<T>> tasks_;
  std::unique_ptr<Tiny<T>> tiny_;  // not null: takes the layers' place in every step
  Size first_trainable_ = 0;
  bool quick_ = false;  // a step of this plan need not be interrupted
};

}  // namespace nnext::train
