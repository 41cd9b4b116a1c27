// Whole epochs of training: every sample once, batch by batch, without leaving C++.
#pragma once

#include <memory>
#include <optional>

#include "train/epoch.h"
#include "train/shuffle.h"
#include "train/snapshots.h"
#include "train/tiny.h"

namespace nnext::train {

struct EpochReport {
  double loss = 0;  // (weighted) mean over the samples seen
  Size steps = 0;   // done, also where they were taken back after divergence
  bool diverged = false;
  bool ended_early = false;  // before its last step: the deadline has passed, or the host asked to stop
};

// The epochs of one fit, and what they reuse, also where each is a batch handed over alone. Whenever run_epoch() returns or throws, and whenever the gate is open,
// parameters and counters are at a whole step; after divergence at the last step whose loss was finite.
template <class T>
class Fit {
 public:
  explicit Fit(Training<T>& training) : training_(training) {
    if (training_.trial != nullptr) begin_trials();
  }
  // Ends early when the host asks to stop. Throws std::invalid_argument for batches that the network cannot take.
  EpochReport run_epoch(const Samples<T>& samples, const EpochOptions& options, runtime::Cancel& cancel);

 private:
  struct Run;  // an epoch under way
  void begin_trials();
  Size rows_at_once(const Samples<T>& samples, Size batch) const;
  Size prepare(const Samples<T>& samples, const EpochOptions& options);  // returns the rows of a batch
  void require_batches_that_go_on(Size samples, const EpochOptions& options) const;
  void begin_carrying(Size rows, bool anew);
  void choose_way(Run& run);
  bool first_goes_ahead() const;
  Program make_program(const Run& run) const;
  void pack_layers(bool tiny);
  Order sample_order(const data::Source<T>& x, bool shuffle, runtime::Cancel& cancel) const;
  void run_until(Run& run, Size until);
  runtime::Pace::Piece run_steps(Run& run, Size until, int members);
  runtime::Pace::Piece used(runtime::Pace::Piece piece);  // notes what its members did
  void before_update(Run& run, const Runner<T>& runner, runtime::Member& me, Size step, std::uint64_t counter);
  void run_long_step(Run& run);
  std::optional<double> before_long_update(Run& run);
  void run_minimizing_step(Run& run);
  bool run_phases(Run& run, Size batch, Size first, Size last, double flops, runtime::Cancel* cancel);
  void tiny_step(Run& run, runtime::Member& me, Size step, std::uint64_t counter);
  void go_back(Run& run);
  // Forward, and twice as much backward.
  double batch_flops() const { return 3 * plan_->flops_per_row() * static_cast<double>(plan_->batch()); }
  double phase_work() const;
  double step_flops(const Epoch<T>& epoch) const { return batch_flops() * static_cast<double>(epoch.batches()); }
  nn::Pass<T> training_pass(const runtime::Member& me, std::uint64_t step, Size first_row) const {
    return {training_.network.kernels, me, training_.network.seed, step, true, first_row};
  }

  Training<T>& training_;
  Snapshots<T> snapshots_;
  std::unique_ptr<Plan<T>> plan_;  // for the largest batch so far
  std::unique_ptr<Epoch<T>> epoch_;
  bool known_finite_ = false;  // parameters, by a look at all of them since they changed
  bool quick_ = false;         // a step of this plan need not be interrupted
};

}  // namespace nnext::train
