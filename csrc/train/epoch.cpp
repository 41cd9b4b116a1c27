#include "train/epoch.h"

#include <array>
#include <chrono>
#include <cmath>
#include <numeric>

#include "runtime/denormals.h"

namespace nnext::train {

using runtime::Member;
using runtime::Range;

namespace {

constexpr std::chrono::milliseconds kQuick{30};  // a step that is not interrupted
// Batches between these sizes are asked for ahead: smaller ones are quick, larger ones push weights out of L2 (2 to 4
// %).
constexpr Size kL1Bytes = 32768, kPrefetchBytes = 8 * kL1Bytes;
constexpr Size kMaxPrefetch = 16;   // rows of the next batch asked for during one task
constexpr double kTinyFlops = 1e6;  // of a step: some 10 us, and one member's work at most
constexpr Size kStepsPerLook = 16;

}  // namespace

// What the steps of one epoch share.
template <class T>
struct Fit<T>::Epoch {
  const Samples<T>& samples;
  const EpochOptions& options;
  Size steps;
  std::vector<std::uint32_t> order;  // empty: as the samples lie
  Shares shares;
  core::Buffer<T> scale, row_loss;  // of each row of the batch
  core::Buffer<T> tiles;            // kMaxPiece for each member
  std::vector<core::Buffer<T>> x;   // each member's batch where all need all of it; empty: in the plan's slot
  core::Buffer<std::int32_t> indices;
  core::Buffer<T> dense;  // gathered targets
  runtime::Cancel& cancel;
  std::vector<core::Buffer<T>> gradients{};  // of long steps
  Size step = 0;                             // done
  bool prefetches = false;                   // batches are too large for L1
  double loss_sum = 0, weight_sum = 0;
  bool diverged = false;

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
};

template <class T>
void Fit<T>::prepare(const Samples<T>& samples, const EpochOptions& options) {
  const Size batch = std::min(options.batch_size, samples.x.rows);
  if (plan_ == nullptr || plan_->batch() != batch || plan_->features(kInput) != samples.x.cols) {
    plan_ = std::make_unique<Plan<T>>(state_.network, samples.x.cols, batch, state_.head, Use::train);
    quick_ = false;
  }
  tasks_ = gradient_tasks(state_.network, *plan_);
  first_trainable_ = first_trainable_stage(*plan_);
  tiny_.reset();
  if (step_flops() <= kTinyFlops) tiny_ = Tiny<T>::of(state_, *plan_);
  // Backward stops above the first trainable stage: what it would need there is not kept in step.
  for (Size i = 0; i < plan_->stages().size(); ++i) {
    nn::Layer<T>& layer = *plan_->stages()[i].layer;
    const nn::Derived wanted = tiny_ != nullptr       ? nn::Derived::none
                               : i > first_trainable_ ? nn::Derived::all
                                                      : nn::Derived::forward;
    layer.refresh(wanted);
    layer.fresh = wanted;
  }
}

// Empty where batches can be read as the samples lie. A loss that reads the input itself wants it in the plan's slot.
template <class T>
std::vector<std::uint32_t> Fit<T>::sample_order(const InputRows<T>& x, bool shuffle, runtime::Cancel& cancel) const {
  if (shuffle) return shuffled_order(state_.network.seed, state_.counters.epoch, x.rows, cancel);
  std::vector<std::uint32_t> order(x.in_place() && plan_->head() != kInput ? 0 : x.rows);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

template <class T>
EpochReport Fit<T>::run_epoch(const Samples<T>& samples, const EpochOptions& options, runtime::Cancel& cancel) {
  const Size n = samples.x.rows;
  prepare(samples, options);
  const Size rows = plan_->batch();
  const bool indexed = samples.targets.indices != nullptr;
  const Shares shares = share_step(*plan_, tasks_, runtime::members_for(step_flops() / 2));  // in two phases
  const Size members = shares.count();
  Epoch epoch{.samples = samples,
              .options = options,
              .steps = core::divide_up(n, options.batch_size),
              .order = sample_order(samples.x, options.shuffle, cancel),
              .shares = shares,
              .scale = core::Buffer<T>(rows),
              .row_loss = core::Buffer<T>(rows),
              .tiles = core::Buffer<T>(nn::kMaxPiece * members),
              .x = {},
              .indices = core::Buffer<std::int32_t>(indexed ? rows : 0),
              .dense = core::Buffer<T>(indexed ? 0 : core::checked_product(rows, samples.targets.dense.cols)),
              .cancel = cancel};
  const Size batch_bytes = rows * samples.x.row_size();
  epoch.prefetches = batch_bytes > kL1Bytes && batch_bytes <= kPrefetchBytes;
  if (shares.split_first() && !epoch.order.empty())
    epoch.x.assign(members, core::Buffer<T>(core::checked_product(rows, samples.x.cols)));
  if (step_flops() > runtime::kQuickFlops && !quick_) epoch.gradients = gradient_buffers(state_.network);
  if (const Gate::Writer writer(state_.gate, &cancel); writer) ++state_.counters.epoch;
  while (!epoch.diverged && !cancel.requested()) {
    epoch.diverged = !state_.parameters_finite();  // so that what is kept below is finite
    if (epoch.diverged || epoch.step == epoch.steps) break;
    snapshots_.before_step(state_, epoch.step, epoch.steps);
    run_until(epoch, epoch.next_stop());
  }
  const EpochReport report{epoch.weight_sum > 0 ? epoch.loss_sum / epoch.weight_sum : 0, epoch.step, epoch.diverged};
  if (epoch.diverged) go_back(epoch);
  return report;
}

// Between runs of the team the gate is open and the host may do anything, also predict with this network.
template <class T>
void Fit<T>::run_until(Epoch& epoch, Size until) {
  while (epoch.step < until && !epoch.diverged && !epoch.cancel.poll()) {
    if (epoch.gradients.empty())
      run_steps(epoch, until);
    else
      run_long_step(epoch);
  }
}

// The life of a batch. Every member runs it: its own blocks of the first stage, if that is split so; forward and
// backward on its own rows, which need no other; then, when the gradients of all rows are there, gradient and update of
// its own pieces of the weights. The run ends early, after a whole step, when a prediction waits or the host is to be
// asked.
template <class T>
void Fit<T>::run_steps(Epoch& epoch, Size until) {
  const Gate::Writer writer(state_.gate, &epoch.cancel);
  if (!writer) return;
  const Size from = epoch.step;
  const std::uint64_t counter = state_.counters.step;
  // The calling thread may change it before the first barrier of a step; all look at it before the second.
  Size end = until;
  auto body = [&](Member& me) {
    const runtime::FlushDenormals flush(state_.network.kernels.flush_subnormals);
    for (Size step = from;; ++step) {
      if (me.is_caller()) {
        // The clock costs as much as a tenth of a tiny network's step.
        const bool look = step % kStepsPerLook == 0 || step_flops() > kTinyFlops;
        if (writer.readers_wait() || (look && epoch.cancel.due())) end = step + 1;
        state_.optimizer->begin_step(epoch.options.lr, state_.counters.optimizer_step + 1);
      }
      const nn::Pass<T> pass = training_pass(me, counter + (step - from));
      Batch now = batch(epoch, step);
      if (epoch.shares.split_first()) {
        forward_first(epoch, now, pass);
        me.barrier();
      }
      forward_and_backward(epoch, now, pass, me.share(now.x.rows));
      me.barrier();
      prepare_gradients(*plan_, pass, me, now.x);
      const bool last = step + 1 >= end;
      const double loss = ops::total_loss(now.x.rows, epoch.scale.data(), epoch.row_loss.data());
      if (!std::isfinite(loss)) {
        if (me.is_caller()) epoch.diverged = true;
        return;
      }
      update(epoch, now, pass);
      me.barrier();
      if (me.is_caller()) count_step(epoch, now, loss);
      if (last) return;
    }
  };
  runtime::run_on_team(static_cast<int>(epoch.shares.count()), body);
}

// The first stage's own blocks, each for all rows of the batch, which every member gathers for itself: its copy stays
// in its L2 for the gradient.
template <class T>
void Fit<T>::forward_first(Epoch& epoch, Batch& batch, const nn::Pass<T>& pass) {
  const Stage<T>& stage = plan_->stages().front();
  const Size rows = batch.x.rows;
  if (!epoch.x.empty()) {
    const Matrix<T> own(epoch.x[static_cast<Size>(pass.me.index())].data(), rows, batch.x.cols);
    gather_x(epoch, batch, {0, rows}, own);
    batch.x = own;
  }
  for_own_shares(pass.me, epoch.shares, [&](Size share) {
    const Range blocks = epoch.shares.first_blocks[share];
    stage.layer->forward_blocks(pass, batch.x, blocks.begin, blocks.end, plan_->value(stage.y, 0, rows));
  });
}

// Gradient and update of the member's own pieces. Between them it asks for the next batch's rows, a few at a time: they
// lie anywhere in memory.
template <class T>
void Fit<T>::update(Epoch& epoch, const Batch& batch, nn::Pass<T> pass) {
  if (tiny_ != nullptr) return tiny_->update();
  const Member& me = pass.me;
  T* tile = epoch.tiles.data() + nn::kMaxPiece * static_cast<Size>(me.index());
  const Size next = batch.first + batch.x.rows;
  const Size next_rows = epoch.prefetches ? std::min(epoch.options.batch_size, epoch.samples.x.rows - next) : 0;
  const Range rows = epoch.shares.split_first() ? Range{0, next_rows} : me.share(next_rows);
  Size tasks = 0, done = 0;
  for_own_shares(me, epoch.shares, [&](Size share) { tasks += epoch.shares.tasks[share].size(); });
  std::array<const void*, kMaxPrefetch> addresses;
  for_own_tasks(me, epoch.shares, [&](Size i) {
    const auto reached = [&](Size part) { return next + rows.begin + rows.size() * part / tasks; };
    const Size first = reached(done), count = std::min(reached(done + 1) - first, kMaxPrefetch);
    for (Size row = 0; row < count; ++row) addresses[row] = epoch.samples.x.row(epoch.sample(first + row));
    pass.prefetch = {addresses.data(), count, epoch.samples.x.row_size()};
    compute_gradient(*plan_, pass, batch.x, tasks_[i], tile);
    state_.apply(*tasks_[i].stage.layer, tasks_[i].parameter, tasks_[i].piece, tile);
    ++done;
  });
}

// The same with the same bits where a step may take too long to be waited for. All gradients are computed first, with
// the gate open, and the host is asked meanwhile; only the update, which is short, must not be interrupted. When it
// turns out that this CPU is quick enough, the others are ordinary steps: they need not write all gradients and read
// them again.
template <class T>
void Fit<T>::run_long_step(Epoch& epoch) {
  const auto started = std::chrono::steady_clock::now();
  const Batch now = batch(epoch, epoch.step);
  const auto members = static_cast<int>(epoch.shares.count());
  const auto gradient = [&](Size i) { return epoch.gradients[tasks_[i].parameter].data() + tasks_[i].piece.offset; };
  auto differentiate = [&](Member& me) {
    const runtime::FlushDenormals flush(state_.network.kernels.flush_subnormals);
    const nn::Pass<T> pass = training_pass(me, state_.counters.step);
    for_blocks(me, now.x.rows, [&](Range rows) { forward_and_backward(epoch, now, pass, rows); });
    me.barrier();
    prepare_gradients(*plan_, pass, me, now.x);
    for_own_tasks(me, epoch.shares, [&](Size i) { compute_gradient(*plan_, pass, now.x, tasks_[i], gradient(i)); });
  };
  runtime::run_on_team(members, differentiate, &epoch.cancel);
  if (epoch.cancel.requested()) return;
  const double loss = ops::total_loss(now.x.rows, epoch.scale.data(), epoch.row_loss.data());
  epoch.diverged = !std::isfinite(loss);
  if (epoch.diverged) return;
  const Gate::Writer writer(state_.gate, &epoch.cancel);
  if (!writer) return;
  state_.optimizer->begin_step(epoch.options.lr, state_.counters.optimizer_step + 1);
  auto update = [&](Member& me) {
    const runtime::FlushDenormals flush(state_.network.kernels.flush_subnormals);
    for_own_tasks(me, epoch.shares, [&](Size i) {
      state_.apply(*tasks_[i].stage.layer, tasks_[i].parameter, tasks_[i].piece, gradient(i));
    });
  };
  runtime::run_on_team(members, update);
  count_step(epoch, now, loss);
  quick_ = std::chrono::steady_clock::now() - started < kQuick;
  if (quick_) epoch.gradients.clear();
}

template <class T>
void Fit<T>::count_step(Epoch& epoch, const Batch& batch, double loss) {
  ++epoch.step, ++state_.counters.step, ++state_.counters.optimizer_step;
  epoch.loss_sum += loss * batch.weight_sum;
  epoch.weight_sum += batch.weight_sum;
}

template <class T>
typename Fit<T>::Batch Fit<T>::batch(Epoch& epoch, Size step) {
  const Samples<T>& samples = epoch.samples;
  const Size first = step * epoch.options.batch_size;
  const Size rows = std::min(epoch.options.batch_size, samples.x.rows - first);
  const bool gathered = !epoch.order.empty();
  Batch batch{first, {}, {}, static_cast<double>(rows)};
  batch.x = gathered ? plan_->value(kInput, 0, rows) : samples.x.view(first, rows);
  if (samples.targets.indices != nullptr)
    batch.targets.indices = samples.targets.indices + first;
  else
    batch.targets.dense = samples.targets.dense.rows_from(first, rows);
  if (gathered) {
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

// Copies x of the batch's rows, converted where it must be.
template <class T>
void Fit<T>::gather_x(const Epoch& epoch, const Batch& batch, Range rows, Matrix<T> to) const {
  epoch.samples.x.gather(state_.network.kernels.layout, epoch.order.data() + batch.first + rows.begin,
                         to.rows_from(rows.begin, rows.size()));
}

// Copies targets unless they are read as they lie, and works out how much each row's loss counts.
template <class T>
void Fit<T>::gather_targets(Epoch& epoch, const Batch& batch, Range rows) {
  const Samples<T>& samples = epoch.samples;
  const double total = batch.weight_sum > 0 ? batch.weight_sum : 1;
  if (samples.weights == nullptr)
    std::fill(epoch.scale.begin() + rows.begin, epoch.scale.begin() + rows.end, static_cast<T>(1 / total));
  else
    for (Size i = rows.begin; i < rows.end; ++i)
      epoch.scale[i] = static_cast<T>(static_cast<double>(samples.weights[epoch.sample(batch.first + i)]) / total);
  if (epoch.order.empty()) return;
  const std::uint32_t* order = epoch.order.data() + batch.first;
  if (const ConstMatrix<T>& dense = samples.targets.dense; dense)
    state_.network.kernels.layout.gather(rows.size(), dense.cols, dense.data,
                                         dense.row_stride * static_cast<core::Stride>(sizeof(T)), order + rows.begin,
                                         epoch.dense.data() + rows.begin * dense.cols);
  else
    for (Size i = rows.begin; i < rows.end; ++i) epoch.indices[i] = samples.targets.indices[order[i]];
}

template <class T>
void Fit<T>::forward_and_backward(Epoch& epoch, const Batch& batch, const nn::Pass<T>& pass, Range rows) {
  if (rows.size() == 0) return;
  Plan<T>& plan = *plan_;
  const Size head = plan.head_stages();
  gather_targets(epoch, batch, rows);
  const bool first_is_done = epoch.shares.split_first() && epoch.gradients.empty();
  if (!first_is_done && !epoch.order.empty()) gather_x(epoch, batch, rows, plan.value(kInput, 0, batch.x.rows));
  if (tiny_ != nullptr)
    tiny_->forward(batch.x);
  else
    forward_rows(plan, pass, batch.x, rows, {first_is_done ? Size{1} : Size{0}, head});
  ops::loss_rows<T>(*state_.loss, state_.loss_argument, plan.value(plan.head(), rows.begin, rows.size()),
                    batch.targets.rows_from(rows.begin, rows.size()), epoch.scale.data() + rows.begin,
                    epoch.row_loss.data() + rows.begin, plan.gradient(plan.head(), rows.begin, rows.size()));
  if (Matrix<T> outputs = epoch.samples.outputs) {
    forward_rows(plan, pass, batch.x, rows, {head, plan.stages().size()});
    for (Size i = rows.begin; i < rows.end; ++i)
      std::copy_n(plan.value(plan.output(), i, 1).data, outputs.cols, outputs.row(epoch.sample(batch.first + i)));
  }
  if (tiny_ != nullptr) return tiny_->backward(batch.x);
  // What the first trainable stage reads needs no gradient.
  backward_rows(plan, pass, rows, {std::min(first_trainable_ + 1, head), head});
}

// Puts the state back to right before the last update, whose result gave a loss that is not finite. Once more where
// parameters are not finite there either: an infinite weight can hide behind a ReLU for one step, until it becomes NaN.
template <class T>
void Fit<T>::go_back(Epoch& epoch) {
  do {
    std::optional<Size> repeat;
    {
      const Gate::Writer writer(state_.gate, nullptr);  // whoever stops the fit wants finite weights as well
      repeat = snapshots_.restore(state_);
    }
    if (!repeat || *repeat == 0) return;
    epoch.step -= *repeat + 1;
    epoch.diverged = false;
    run_until(epoch, epoch.step + *repeat);
  } while (!epoch.diverged && !epoch.cancel.requested() && !state_.parameters_finite());
}

template class Fit<float>;
template class Fit<double>;

}  // namespace nnext::train
