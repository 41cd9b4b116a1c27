#include "train/epoch.h"

#include <cmath>
#include <numeric>

#include "core/errors.h"
#include "core/philox.h"
#include "runtime/cancel.h"

namespace nnext::train {

using runtime::Member;
using runtime::Range;

std::vector<std::uint32_t> shuffled_order(std::uint64_t seed, std::uint64_t epoch, Size n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  const core::PhiloxStream stream(seed, core::Purpose::shuffle, 0, epoch);
  core::PhiloxBlock words{};
  for (Size i = n; i-- > 1;) {
    if (i % 4 == 3 || i == n - 1) words = stream.block(i / 4);
    std::swap(order[i], order[std::uint64_t{words[i % 4]} * (i + 1) >> 32]);
  }
  return order;
}

// What the steps of one epoch share.
template <class T>
struct Fit<T>::Epoch {
  const Samples<T>& samples;
  const EpochOptions& options;
  Size steps;
  std::vector<std::uint32_t> order;  // empty: as the samples lie
  std::vector<Range> tasks;          // of each member
  core::Buffer<T> scale, row_loss;   // of each row of the batch
  core::Buffer<T> tiles;             // kMaxPiece for each member
  core::Buffer<std::int32_t> indices;
  core::Buffer<T> dense;  // gathered targets
  runtime::Cancel cancel{};
  Size step = 0;  // done
  double loss_sum = 0, weight_sum = 0;
  Ended ended = Ended::finished;

  Size sample(Size i) const { return order.empty() ? i : order[i]; }
  // Up to the next snapshot, so that one is taken before it.
  Size next_stop() const {
    const Size last = steps - 1;
    return step == last ? steps : std::min(core::round_up(step + 1, Snapshots<T>::kInterval), last);
  }
};

// The samples [first, first + x.rows) of the epoch's order.
template <class T>
struct Fit<T>::Batch {
  Size first;
  ConstMatrix<T> x;
  ops::Targets<T> targets;
  double weight_sum;

  ops::Targets<T> targets_of(Range rows) const {
    if (targets.indices != nullptr) return {targets.indices + rows.begin, {}};
    return {nullptr, targets.dense.rows_from(rows.begin, rows.size())};
  }
};

template <class T>
void Fit<T>::prepare(const Samples<T>& samples, const EpochOptions& options) {
  const Size batch = std::min(options.batch_size, samples.x.rows);
  if (plan_ == nullptr || plan_->batch() != batch || plan_->features(kInput) != samples.x.cols)
    plan_ = std::make_unique<Plan<T>>(state_.network, samples.x.cols, batch, state_.head, Use::train);
  tasks_ = gradient_tasks(state_.network, *plan_);
  first_trainable_ = first_trainable_stage(*plan_);
  // Backward stops above the first trainable stage: what it would need there is not kept in step.
  for (Size i = 0; i < plan_->stages().size(); ++i) {
    nn::Layer<T>& layer = *plan_->stages()[i].layer;
    if (i > first_trainable_)
      layer.refresh();
    else
      layer.stale = true;
  }
}

// Empty where batches can be read as the samples lie. A loss that reads the input itself wants it in the plan's slot.
template <class T>
std::vector<std::uint32_t> Fit<T>::sample_order(Size n, bool shuffle) const {
  if (shuffle) return shuffled_order(state_.network.seed, state_.counters.epoch, n);
  std::vector<std::uint32_t> order(plan_->head() == kInput ? n : 0);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

template <class T>
EpochReport Fit<T>::run_epoch(const Samples<T>& samples, const EpochOptions& options) {
  const Size n = samples.x.rows;
  prepare(samples, options);
  const Size rows = plan_->batch();
  const bool indexed = samples.targets.indices != nullptr;
  // A step is forward and twice as much backward, in two phases.
  const int members = runtime::members_for(1.5 * plan_->flops_per_row() * static_cast<double>(rows));
  Epoch epoch{.samples = samples,
              .options = options,
              .steps = core::divide_up(n, options.batch_size),
              .order = sample_order(n, options.shuffle),
              .tasks = share_tasks(tasks_, members),
              .scale = core::Buffer<T>(rows),
              .row_loss = core::Buffer<T>(rows),
              .tiles = core::Buffer<T>(nn::kMaxPiece * static_cast<Size>(members)),
              .indices = core::Buffer<std::int32_t>(indexed ? rows : 0),
              .dense = core::Buffer<T>(indexed ? 0 : core::checked_product(rows, samples.targets.dense.cols))};
  ++state_.counters.epoch;
  while (epoch.ended == Ended::finished) {
    if (!state_.parameters_finite()) epoch.ended = Ended::diverged;  // so that what is kept below is finite
    if (epoch.ended == Ended::diverged || epoch.step == epoch.steps) break;
    snapshots_.before_step(state_, epoch.step, epoch.steps);
    run_steps(epoch, epoch.next_stop());
  }
  EpochReport report{epoch.weight_sum > 0 ? epoch.loss_sum / epoch.weight_sum : 0, epoch.step, epoch.ended};
  if (epoch.ended == Ended::diverged) {
    go_back(epoch);
    if (epoch.ended == Ended::cancelled) report.ended = Ended::cancelled;
  }
  return report;
}

// The life of a batch. Every member runs it: forward and backward on its own rows, which need no other, then, when the
// gradients of all rows are there, gradient and update of its own pieces of the weights.
template <class T>
void Fit<T>::run_steps(Epoch& epoch, Size until) {
  Gate::Writer writer(state_.gate);
  const Size from = epoch.step;
  const std::uint64_t counter = state_.counters.step;
  auto body = [&](Member& me) {
    T* tile = epoch.tiles.data() + nn::kMaxPiece * static_cast<Size>(me.index());
    for (Size step = from; step < until; ++step) {
      if (me.is_caller()) {
        writer.yield_to_readers();
        epoch.cancel.poll();
        state_.optimizer->begin_step(epoch.options.lr, state_.counters.optimizer_step + 1);
      }
      const nn::Pass<T> pass{state_.network.kernels, state_.network.seed, counter + (step - from), true};
      const Batch now = batch(epoch, step);
      forward_and_backward(epoch, now, pass, me.share(now.x.rows));
      me.barrier();
      const double loss = ops::total_loss(now.x.rows, epoch.scale.data(), epoch.row_loss.data());
      if (epoch.cancel.requested() || !std::isfinite(loss)) {
        if (me.is_caller()) epoch.ended = epoch.cancel.requested() ? Ended::cancelled : Ended::diverged;
        return;
      }
      update(now, pass, epoch.tasks[static_cast<Size>(me.index())], tile);
      me.barrier();
      if (me.is_caller()) {
        ++epoch.step, ++state_.counters.step, ++state_.counters.optimizer_step;
        epoch.loss_sum += loss * now.weight_sum;
        epoch.weight_sum += now.weight_sum;
      }
    }
  };
  runtime::run_on_team(static_cast<int>(epoch.tasks.size()), body);
}

template <class T>
typename Fit<T>::Batch Fit<T>::batch(Epoch& epoch, Size step) {
  const Samples<T>& samples = epoch.samples;
  const Size first = step * epoch.options.batch_size;
  const Size rows = std::min(epoch.options.batch_size, samples.x.rows - first);
  Batch batch{first, samples.x.rows_from(first, rows), {}, static_cast<double>(rows)};
  if (samples.targets.indices != nullptr)
    batch.targets.indices = samples.targets.indices + first;
  else
    batch.targets.dense = samples.targets.dense.rows_from(first, rows);
  if (!epoch.order.empty()) {
    batch.x = plan_->value(kInput, 0, rows);
    if (samples.targets.indices != nullptr)
      batch.targets.indices = epoch.indices.data();
    else
      batch.targets.dense = Matrix<T>(epoch.dense.data(), rows, samples.targets.dense.cols);
  }
  if (samples.weights != nullptr) {
    batch.weight_sum = 0;
    for (Size i = 0; i < rows; ++i) batch.weight_sum += static_cast<double>(samples.weights[epoch.sample(first + i)]);
  }
  return batch;
}

// Copies the rows' x and targets where the order is shuffled, and works out how much each row's loss counts.
template <class T>
void Fit<T>::gather(Epoch& epoch, const Batch& batch, Range rows) {
  const Samples<T>& samples = epoch.samples;
  const double total = batch.weight_sum > 0 ? batch.weight_sum : 1;
  for (Size i = rows.begin; i < rows.end; ++i) {
    const Size sample = epoch.sample(batch.first + i);
    epoch.scale[i] = static_cast<T>((samples.weights == nullptr ? 1.0 : static_cast<double>(samples.weights[sample])) / total);
    if (epoch.order.empty()) continue;
    std::copy_n(samples.x.row(sample), samples.x.cols, plan_->value(kInput, i, 1).data);
    if (samples.targets.indices != nullptr)
      epoch.indices[i] = samples.targets.indices[sample];
    else
      std::copy_n(samples.targets.dense.row(sample), samples.targets.dense.cols, epoch.dense.data() + i * samples.targets.dense.cols);
  }
}

template <class T>
void Fit<T>::forward_and_backward(Epoch& epoch, const Batch& batch, const nn::Pass<T>& pass, Range rows) {
  if (rows.size() == 0) return;
  Plan<T>& plan = *plan_;
  const Size head = plan.head_stages();
  gather(epoch, batch, rows);
  forward_rows(plan, pass, batch.x, rows, 0, head);
  ops::loss_rows<T>(pass.kernels, state_.loss, plan.value(plan.head(), rows.begin, rows.size()), batch.targets_of(rows),
                    epoch.scale.data() + rows.begin, epoch.row_loss.data() + rows.begin,
                    plan.gradient(plan.head(), rows.begin, rows.size()));
  if (Matrix<T> outputs = epoch.samples.outputs) {
    forward_rows(plan, pass, batch.x, rows, head, plan.stages().size());
    for (Size i = rows.begin; i < rows.end; ++i)
      std::copy_n(plan.value(plan.output(), i, 1).data, outputs.cols, outputs.row(epoch.sample(batch.first + i)));
  }
  // What the first trainable stage reads needs no gradient.
  backward_rows(plan, pass, rows, std::min(first_trainable_ + 1, head), head);
}

template <class T>
void Fit<T>::update(const Batch& batch, const nn::Pass<T>& pass, Range tasks, T* tile) {
  for (Size i = tasks.begin; i < tasks.end; ++i) {
    const GradientTask<T>& task = tasks_[i];
    compute_gradient(*plan_, pass, batch.x, task, tile);
    state_.apply(*task.stage.layer, task.parameter, task.piece, tile);
  }
}

// Puts the state back to right before the last update, whose result gave a loss that is not finite. Once more where
// parameters are not finite there either: an infinite weight can hide behind a ReLU for one step, until it becomes NaN.
template <class T>
void Fit<T>::go_back(Epoch& epoch) {
  do {
    std::optional<Size> repeat;
    {
      Gate::Writer writer(state_.gate);
      repeat = snapshots_.restore(state_);
    }
    if (!repeat || *repeat == 0) return;
    epoch.step -= *repeat + 1;
    epoch.ended = Ended::finished;
    run_steps(epoch, epoch.step + *repeat);
  } while (epoch.ended == Ended::finished && !state_.parameters_finite());
}

template class Fit<float>;
template class Fit<double>;

}  // namespace nnext::train
