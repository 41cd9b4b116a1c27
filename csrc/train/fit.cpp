#include "train/fit.h"

#include <utility>

#include "core/errors.h"
#include "train/fit_run.h"

namespace nnext::train {

using runtime::Gate;

// Of a batch, in each pass. A step of several has the bits of one, but in bf16, and where what a layer computes for a row
// depends on all rows.
template <class T>
Size Fit<T>::rows_at_once(const Samples<T>& samples, Size batch) const {
  const bool whole = samples.host_loss != nullptr || training_.trial != nullptr || training_.bf16 != nullptr;
  if (whole || batch <= 2 * runtime::kBatchRows) return batch;
  const Plan<T> plan(training_.passed(), samples.x.shape, 2, training_.loss.head, Use::train);
  for (const Stage<T>& stage : plan.stages())
    if (stage.layer().rounds(true) > 1 || plan.carries_state()) return batch;
  const Size rows = std::max(runtime::kBatchRows, 2 * runtime::kBatchBytes / (plan.numbers() * sizeof(T)));
  return batch <= 2 * rows ? batch : rows;
}

template <class T>
Size Fit<T>::prepare(const Samples<T>& samples, const EpochOptions& options) {
  const Size n = samples.x.rows, batch = std::min(options.batch_size, n);
  const Size rows = rows_at_once(samples, batch);
  if (plan_ == nullptr || plan_->batch() < rows || plan_->input_shape() != samples.x.shape) {
    epoch_.reset();  // its memory first
    plan_ = std::make_unique<Plan<T>>(training_.passed(), samples.x.shape, rows, training_.loss.head, Use::train);
    quick_ = false;
  }
  const Size smallest = n % batch == 0 ? batch : n % batch;
  if (smallest < plan_->min_rows())
    core::fail_value("[fit] with ", n, n == 1 ? " sample" : " samples", " and batch_size=", options.batch_size,
                     " a batch has ", smallest, " but batch normalization needs ", plan_->min_rows(),
                     " in training; choose another batch_size, or leave out a sample");
  if (plan_->carries_state()) require_batches_that_go_on(n, options);
  const Size batches = core::divide_up(n, batch);
  const Size steps = core::divide_up(batches, std::min(training_.settings.accumulate, batches));
  for (const SettingValues& of : options.changing)
    if (of.each.size() != steps)
      core::fail_value("[fit] there are ", of.each.size(), " values of ", of.name, " for an epoch of ", steps,
                       " steps; give one for each");
  const int members = runtime::members_for(phase_work());
  if (epoch_ == nullptr || epoch_->shares().count() != static_cast<Size>(members)) {
    epoch_.reset();
    epoch_ = std::make_unique<Epoch<T>>(training_, *plan_, share_step(*plan_, members));
  }
  return rows;
}

// Row i of a batch goes on from row i of the one before.
template <class T>
void Fit<T>::require_batches_that_go_on(Size samples, const EpochOptions& options) const {
  if (options.shuffle)
    core::fail_value("[fit] a layer is stateful, so that each batch goes on from the one before, but shuffle is true; ",
                     "give shuffle=False, with sequences in their order");
  const Size batch = std::min(options.batch_size, samples), carried = training_.carried.rows;
  if (samples % batch != 0 || (options.part_of && carried > 0 && carried != batch))
    core::fail_value("[fit] a layer is stateful, so that batches must have the same number of samples, but one has ",
                     samples % batch != 0 ? samples % batch : batch, " and another ",
                     samples % batch != 0 ? batch : carried, "; leave samples out, or choose another batch_size");
  if (training_.trial != nullptr || training_.settings.accumulate > 1)
    core::fail_value("[fit] a layer is stateful, but ",
                     training_.trial != nullptr ? "LBFGS looks several times at a batch"
                                                : "accumulate makes one step of several batches",
                     "; use another optimizer and accumulate=1");
}

// Nobody copies the state meanwhile.
template <class T>
void Fit<T>::begin_carrying(Size rows, bool anew) {
  Carried<T>& carried = training_.carried;
  if (!plan_->carries_state() || (!anew && carried.rows == rows)) return;
  const Size numbers = core::checked_product(rows, plan_->carried());
  core::Buffer<T> zeros(numbers), next(numbers);
  carried = {std::move(zeros), std::move(next), rows};
}

// Of one of the two phases of a step, in operations.
template <class T>
double Fit<T>::phase_work() const {
  Size numbers = 0;
  for (const Stage<T>& stage : plan_->stages())
    if (stage.trains())
      for (const nn::Parameter<T>& parameter : stage.layer().parameters) numbers += parameter.stored;
  return std::max(batch_flops() / 2, runtime::kFlopsPerByte * static_cast<double>(numbers * sizeof(T)));
}

template <class T>
void Fit<T>::choose_way(Run& run) {
  Epoch<T>& epoch = run.epoch;
  const bool looks_around = training_.trial != nullptr;
  run.long_steps = looks_around || epoch.has_host_loss() || (step_flops(epoch) > runtime::kQuickFlops && !quick_);
  run.at_once = !run.long_steps && training_.settings.clip_norm == 0 && epoch.batches() == 1;
  run.by_features = epoch.shares().split_first() && !run.long_steps && !epoch.has_lengths();
  epoch.follow(!run.at_once, run.by_features);
  run.program = make_program(run);
  run.tiny.reset();
  if (run.at_once && batch_flops() <= runtime::kTinyFlops) run.tiny = Tiny<T>::of(training_, *plan_, epoch.own().view);
  run.goes_ahead = run.at_once && run.by_features && run.tiny == nullptr && first_goes_ahead();
  pack_layers(run.tiny != nullptr);
}

// Where steps see but one row, and the first stage's are so plain that its gradient's kernel applies them.
template <class T>
bool Fit<T>::first_goes_ahead() const {
  const Stage<T>& first = plan_->stages().front();
  return plan_->batch() == 1 && first.in.places() == 1 && first.trains() && first.layer().goes_ahead() &&
         training_.in_place(*first.node, first.layer().pieces().front()).step != nullptr;
}

template <class T>
Program Fit<T>::make_program(const Run& run) const {
  ProgramBuilder<T> program(*plan_);
  const Size head = plan_->head_stages(), all = plan_->stages().size();
  if (run.by_features)
    program.first_by_features();
  else
    program.rows(Work::gather);
  program.forward(run.by_features ? 1 : 0, head);
  if (run.epoch.has_host_loss())
    program.host_loss();
  else
    program.rows(Work::loss);
  if (run.epoch.wants_outputs() && run.first_look) {
    program.forward(head, all);
    program.rows(Work::outputs);
  }
  program.backward(plan_->first_backward(), head);
  program.gradients(run.at_once, training_.settings.clip_norm > 0);
  return program.take();
}

// Backward stops above the first trainable stage: what it would need there is not kept in step.
template <class T>
void Fit<T>::pack_layers(bool tiny) {
  for (Size i = 0; i < plan_->stages().size(); ++i) {
    nn::Layer<T>& layer = plan_->stages()[i].layer();
    const nn::Packed wanted = tiny                           ? nn::Packed::none
                              : i > plan_->first_trainable() ? nn::Packed::all
                                                             : nn::Packed::forward;
    layer.pack(wanted);
    layer.packed = wanted;
  }
}

// Empty where batches can be read as the samples lie. A loss that reads the input itself wants it in the arena.
template <class T>
Order Fit<T>::sample_order(const data::Source<T>& x, bool shuffle, runtime::Cancel& cancel) const {
  if (shuffle) return shuffled_order(training_.network.seed, training_.counters.epoch, x.rows, cancel);
  const bool read_in_place = x.in_place() && !plan_->head().input && !plan_->output().input;
  return plain_order(read_in_place ? 0 : x.rows, cancel);
}

template <class T>
EpochReport Fit<T>::run_epoch(const Samples<T>& samples, const EpochOptions& options, runtime::Cancel& cancel) {
  const Size rows = prepare(samples, options);
  Epoch<T>& epoch = *epoch_;
  epoch.start(samples, options, rows, sample_order(samples.x, options.shuffle, cancel));
  Run run{.epoch = epoch, .cancel = cancel, .deadline = options.deadline};
  choose_way(run);
  if (!options.part_of || plan_->carries_state())
    if (const Gate::Writer writer(training_.network.gate, &cancel); writer) {
      begin_carrying(rows, !options.part_of);
      if (!options.part_of) ++training_.counters.epoch, training_.position.begin_epoch();
    }
  while (!epoch.diverged && !cancel.requested()) {
    // So that what is kept below is finite. Nobody but this fit changes parameters between two of its epochs.
    epoch.diverged = !std::exchange(known_finite_, false) && !training_.section.parameters_finite();
    if (epoch.diverged || epoch.step == epoch.steps() || run.out_of_time()) break;
    if (!epoch.has_host_loss()) snapshots_.before_step(training_, epoch.step, epoch.steps());
    run_until(run, run.next_stop());
  }
  known_finite_ = !epoch.diverged && !cancel.requested() && epoch.step == epoch.steps();
  const bool ended_early = !epoch.diverged && epoch.step < epoch.steps();
  const EpochReport report{epoch.mean_loss(), epoch.step, epoch.diverged, ended_early};
  if (epoch.diverged) go_back(run);
  return report;
}

// Puts the state back to right before the last update, whose result gave a loss that is not finite. Once more where
// parameters are not finite there either: an infinite weight can hide behind a ReLU for one step, until it becomes NaN.
template <class T>
void Fit<T>::go_back(Run& run) {
  run.deadline.reset();  // the steps to repeat are fewer than 256
  do {
    std::optional<Size> repeat;
    {
      const Gate::Writer writer(training_.network.gate, nullptr);  // whoever stops the fit wants finite weights as well
      repeat = snapshots_.restore(training_);
    }
    if (!repeat) return;
    run.epoch.step -= *repeat + 1;
    run.epoch.diverged = false;
    run_until(run, run.epoch.step + *repeat);
  } while (!run.epoch.diverged && !run.cancel.requested() && !training_.section.parameters_finite());
}

template class Fit<float>;
template class Fit<double>;

}  // namespace nnext::train
