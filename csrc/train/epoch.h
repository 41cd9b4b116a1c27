// One pass over all samples: their order, the batch that each member is at, and what the steps of a fit share.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "data/source.h"
#include "train/clip.h"
#include "train/loss_terms.h"
#include "train/program.h"
#include "train/shuffle.h"
#include "train/sinks.h"

namespace nnext::train {

// What the host says of a batch.
struct HostLoss {
  double loss;
  std::vector<SettingValue> settings{};  // from this step on
};

template <class T>
struct Samples {
  const data::Source<T>& x;
  ops::Targets<T> targets;
  ConstMatrix<T> weights;  // one a sample or one for each output, of mean 1; empty: all 1
  Matrix<T> outputs;       // where the network's outputs go, in the order of x; empty: nowhere
  // A loss that the host computes: from the outputs for the rows order[0] ... of the samples their mean loss, and its
  // gradient into dy. It may throw. Targets are then its affair.
  std::function<HostLoss(ConstMatrix<T> outputs, const std::uint32_t* order, Matrix<T> dy)> host_loss{};
};

// A setting of the optimizer by its name, with a value for each step of the epoch.
struct SettingValues {
  std::string name;
  std::span<const double> each;
};

using Clock = std::chrono::steady_clock;

struct EpochOptions {
  Size batch_size = 32;
  bool shuffle = true;
  // Of the optimizer; others are as they were.
  std::vector<SettingValue> settings{};
  std::vector<SettingValues> changing{};
  // Of a batch that is handed over alone, which is no epoch: how many steps the one has that it is part of; 0 where
  // nobody knows.
  std::optional<Size> part_of{};
  std::optional<Clock::time_point> deadline{};  // ends the epoch after the step in which it passes
};

// Samples [first, first + x.rows) of the epoch's order: a batch of a step, which may take several.
template <class T>
struct Batch {
  Size first = 0;
  Size before = 0, step_rows = 0;  // rows of the step before this batch, and all of it
  Size step_places = 0;            // of what the loss reads that count in the step, of sequences with ends of their own
  ConstMatrix<T> x;
  ops::Targets<T> targets;
};

// With its memory, which is kept for the next one.
template <class T>
class Epoch final : public PassContext<T> {
 public:
  Epoch(Training<T>& training, const Plan<T>& plan, Shares shares);
  // Begins anew. Samples must outlive all steps, and batches of `rows` fit the plan: of those of the options, or of parts of
  // them, so that a step has more batches. Order empty: as they lie.
  void start(const Samples<T>& samples, const EpochOptions& options, Size rows, Order order);

  // What a member has for itself.
  struct Own {
    Own(View<T>& view_, Epoch& epoch, Size index);
    View<T>& view;
    Batch<T> batch{};
    core::Buffer<T> x{};       // a copy of the batch where every member needs all of it
    core::Buffer<T> next_x{};  // the same of the next one
    nn::Ahead<T> next{};
    RowsAhead ahead{};
    TileSink<T> tile;
    ArraySink<T> array;
  };
  Own& own(const runtime::Member& me) { return own_[static_cast<Size>(me.index())]; }
  Own& own() { return own_.front(); }  // the calling thread's

  // A batch of a step becomes this member's.
  void begin(const runtime::Member& me, Size step, Size batch);
  void gather(const runtime::Member& me, View<T>& view, Range rows) override;
  bool is_ahead(const runtime::Member& me, View<T>& view) override;
  void loss(const nn::Pass<T>& pass, View<T>& view, Range rows) override;
  void outputs(const runtime::Member& me, View<T>& view, Range rows) override;
  nn::Sink<T>& sink(const runtime::Member& me, const Stage<T>& stage) override;
  void norms(const runtime::Member& me) override { clip_->norms(me, gradients_); }
  void update(const runtime::Member& me) override;

  // Of the step that all members are at.
  double step_loss(const Batch<T>& last) const { return terms_.total(last.step_rows); }
  // The host's loss, which goes on alone, from the outputs: what the batch adds to that of the step. Infinite where its
  // gradient is not finite.
  double host_loss(Own& own);
  void count(double loss);  // a step has been done
  // What the program does: whether gradients are kept in arrays instead of applied at once, and whether the first stage
  // goes by features, so that every member needs the whole batch.
  void follow(bool keeps_gradients, bool by_features);
  // Before the update of a step: the first stage may go forward for the next one, unless it is the run's last.
  void go_ahead(const runtime::Member& me, bool last);

  // Before the update of a step.
  void begin_update(Size at_step) {
    for (const Changing& setting : changing_) training_.set(setting.place, setting.each[at_step]);
    training_.begin_step();
  }
  Size steps() const { return core::divide_up(samples_->x.rows, step_rows_); }
  // Of a step; the last one may have fewer.
  Size batches(Size step_ = 0) const {
    return std::min(batches_, core::divide_up(samples_->x.rows - step_ * step_rows_, batch_rows_));
  }
  const Shares& shares() const { return shares_; }
  Gradients<T>& gradients() { return gradients_; }  // of the last batch, where they are kept
  bool has_host_loss() const { return samples_->host_loss != nullptr; }
  bool has_lengths() const { return samples_->x.has_lengths(); }
  bool wants_outputs() const { return static_cast<bool>(samples_->outputs); }
  // Before a run of the team, or several for one step: what its steps go on from is then exchanged by each member for
  // itself, as the training's own may be one step ahead.
  void begin_run() {
    arena_.poison();
    run_ = {.step = step, .state = training_.carried.numbers.data(), .next_state = training_.carried.next.data()};
  }
  double mean_loss() const { return counted_ > 0 ? loss_sum_ / static_cast<double>(counted_) : 0; }

  Size step = 0;  // done
  bool diverged = false;

 private:
  struct Changing {
    Size place;  // among the optimizer's settings
    std::span<const double> each;
  };
  Size sample(Size i) const { return order_.size() == 0 ? i : order_[i]; }
  // Whether the loss is one of steps of sequences that have ends of their own.
  bool has_ends() const { return samples_->x.has_lengths() && plan_.head_lengths() != kNoLengths; }
  Size count_places(const Batch<T>& batch) const;
  void gather_targets(const Batch<T>& batch, Range rows);
  void look_ahead(const runtime::Member& me, Own& mine) const;
  void fetch_from(Size next, Range rows) const;

  Training<T>& training_;
  const Plan<T>& plan_;
  Shares shares_;
  Arena<T> arena_;
  std::vector<Own> own_;
  const Samples<T>* samples_ = nullptr;
  EpochOptions options_{};
  std::vector<Changing> changing_;
  Size batch_rows_ = 1, step_rows_ = 1, batches_ = 1;  // of a batch, of a step, and how many batches this has
  Order order_{};
  struct {
    Size step = 0;
    T *state = nullptr, *next_state = nullptr;
  } run_{};
  LossTerms<T> terms_;
  core::Buffer<std::int32_t> indices_;
  core::Buffer<T> dense_;   // gathered targets
  core::Buffer<T> next_y_;  // of the first stage
  Gradients<T> gradients_;
  std::optional<NormClip<T>> clip_;
  bool prefetches_ = false, fetches_ = false;  // rows of the next batch, over a step's pieces or at once
  bool by_features_ = false;
  double loss_sum_ = 0;
  Size counted_ = 0;  // rows, or steps of sequences, that this is the sum of
};

}  // namespace nnext::train
