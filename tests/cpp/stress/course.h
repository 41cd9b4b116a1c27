// What the stress trains: networks that take every way through the core, each with a course of training whose bits are
// the same in a quiet process and among threads that predict, copy and cancel.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../descriptions.h"
#include "data/dense_rows.h"
#include "train/shuffle.h"
#include "train/trainer.h"

namespace nnext::testing {

using data::DenseRows;
using train::Samples;
using train::Trainer;

enum class Way { epochs, host_loss, own_loop };

struct Case {
  std::string name;
  std::vector<Config> layers;
  Size in, out, rows, batch;
  Config loss = mse();
  std::string frozen = "0";  // for an epoch
  train::StepSettings settings{};
  double rate = 1e-2;
  bool classes = false;    // targets are labels
  bool converted = false;  // samples are float64, so that every batch is gathered
  bool shuffle = false;
  bool bf16 = false;
  Way way = Way::epochs;
};
// Those that this machine can run; `quick` leaves out what takes long.
std::vector<Case> all_cases(bool quick);
// With a rate of 0, which leaves parameters as they are.
Case case_at_rest(const char* name);

// A state that it is certain to come back to, in the public shapes.
struct Saved {
  std::vector<std::vector<float>> parameters;
  std::vector<std::vector<float>> averages;                // empty for buffers; none where there are none
  std::vector<std::vector<std::vector<float>>> optimizer;  // [state][parameter], empty where there is none
  std::vector<optim::Progress> progress;
  train::Counters counters;
  train::Position position;
};

// A trainer with its samples.
class Course {
 public:
  static constexpr int kEpochs = 3;
  static constexpr Size kProbe = 140;   // rows that are predicted together: more than a block
  static constexpr Size kSingles = 10;  // of them, those that are also predicted one by one

  explicit Course(const Case& what);
  const Case& what() const { return what_; }
  Trainer<float>& trainer() { return trainer_; }

  // Before an epoch: the settings change. Calls seen() after each.
  void settle(int epoch, const std::function<void()>& seen);
  // One pass over all samples; `within` runs in the host's loss.
  train::EpochReport epoch(runtime::Cancel& cancel, const std::function<void()>& within = {});
  // The same bits, one step at a time, with seen() after each: batch after batch of the epoch's order.
  void epoch_by_steps(const std::function<void()>& seen);

  // Digests of what the network gives for rows of the probe.
  std::uint64_t predict(Size first, Size count);
  std::uint64_t predict_row(Size row);  // at once where that goes
  std::uint64_t evaluate();
  const float* probe_row(Size row) const { return probe_.data() + row * what_.in; }
  bool can_evaluate() const { return what_.way != Way::host_loss; }

  Saved save();
  void restore(const Saved& saved);

 private:
  template <class N>
  DenseRows<float> rows_of(const std::vector<N>& numbers, Size first, Size count) const;
  DenseRows<float> rows(Size first, Size count) const;
  DenseRows<float> probe(Size first, Size count) const { return rows_of(probe_, first, count); }
  Samples<float> samples(const DenseRows<float>& x, Size first, const std::function<void()>& within) const;
  ops::Targets<float> targets(Size first, Size count) const;
  void own_step(Size first, Size count);
  void reorder(const train::Order& order);

  Case what_;
  std::vector<float> x_, y_;
  std::vector<double> wide_;
  std::vector<std::int32_t> classes_;
  std::vector<float> probe_;
  std::uint64_t epochs_ = 0;   // begun by epoch_by_steps()
  runtime::Cancel drawing_{};  // of start values, which nobody stops
  Trainer<float> trainer_;
};

std::uint64_t digest(const train::StateCopy<float>& state);
std::uint64_t digest(const std::vector<core::Buffer<float>>& parameters);

}  // namespace nnext::testing
