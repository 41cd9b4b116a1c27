#include "train/fit.h"

#include <chrono>
#include <cmath>
#include <numeric>

#include "core/errors.h"
#include "runtime/denormals.h"

namespace nnext::train {

using runtime::Gate;
using runtime::Member;

template <class T>
struct Fit<T>::Run {
  Epoch<T>& epoch;
  runtime::Cancel& cancel;
  Program program{};
  bool long_steps = false;          // steps that can be interrupted
  bool at_once = false;             // a gradient is applied as soon as it is there
  bool by_features = false;         // the first stage is split so
  std::unique_ptr<Tiny<T>> tiny{};  // not null: takes the layers' place in every step

  // Up to the next snapshot, so that one is taken before it.
  Size next_stop() const {
    const Size last = epoch.steps() - 1;
    if (epoch.step == last) return epoch.steps();
    return std::min(core::round_up(epoch.step + 1, Snapshots<T>::kInterval), last);
  }
  Runner<T> runner() const {
    return {program, epoch.shares(), epoch, long_steps ? runtime::kBlockRows : std::numeric_limits<Size>::max()};
  }
  int members() const { return static_cast<int>(epoch.shares().count()); }
};

template <class T>
void Fit<T>::prepare(const Samples<T>& samples, const EpochOptions& options) {
  const Size n = samples.x.rows, batch = std::min(options.batch_size, n);
  if (plan_ == nullptr || plan_->batch() != batch || plan_->input().features != samples.x.cols) {
    plan_ = std::make_unique<Plan<T>>(training_.network, samples.x.cols, batch, training_.loss.head, Use::train);
    quick_ = false;
  }
  const Size smallest = n % batch == 0 ? batch : n % batch;
  if (smallest < plan_->min_rows())
    core::fail_value("[fit] with ", n, " samples and batch_size=", options.batch_size, " a batch has ", smallest,
                     " but batch normalization needs ", plan_->min_rows(),
                     " in training; choose another batch_size, or leave out a sample");
}

template <class T>
void Fit<T>::choose_way(Run& run) {
  Epoch<T>& epoch = run.epoch;
  run.long_steps = epoch.has_host_loss() || (step_flops() > runtime::kQuickFlops && !quick_);
  run.at_once = !run.long_steps && training_.clip_norm == 0;
  run.by_features = epoch.shares().split_first() && !run.long_steps;
  epoch.follow(!run.at_once, run.by_features);
  run.program = make_program(run);
  run.tiny.reset();
  if (run.at_once && step_flops() <= runtime::kTinyFlops) run.tiny = Tiny<T>::of(training_, *plan_, epoch.own().view);
  pack_layers(run.tiny != nullptr);
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
  if (run.epoch.wants_outputs()) {
    program.forward(head, all);
    program.rows(Work::outputs);
  }
  program.backward(plan_->first_backward(), head);
  program.gradients(run.at_once, training_.clip_norm > 0);
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
std::vector<std::uint32_t> Fit<T>::sample_order(const InputRows<T>& x, bool shuffle, runtime::Cancel& cancel) const {
  if (shuffle) return shuffled_order(training_.network.seed, training_.counters.epoch, x.rows, cancel);
  const bool read_in_place = x.in_place() && !plan_->head().input && !plan_->output().input;
  std::vector<std::uint32_t> order(read_in_place ? 0 : x.rows);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

template <class T>
EpochReport Fit<T>::run_epoch(const Samples<T>& samples, const EpochOptions& options, runtime::Cancel& cancel) {
  prepare(samples, options);
  const Shares shares = share_step(*plan_, runtime::members_for(step_flops() / 2));  // in two phases
  Epoch<T> epoch(training_, *plan_, shares, samples, options, sample_order(samples.x, options.shuffle, cancel));
  Run run{epoch, cancel};
  choose_way(run);
  if (const Gate::Writer writer(training_.network.gate, &cancel); writer) ++training_.counters.epoch;
  while (!epoch.diverged && !cancel.requested()) {
    epoch.diverged = !training_.network.parameters_finite();  // so that what is kept below is finite
    if (epoch.diverged || epoch.step == epoch.steps()) break;
    if (!epoch.has_host_loss()) snapshots_.before_step(training_, epoch.step, epoch.steps());
    run_until(run, run.next_stop());
  }
  const EpochReport report{epoch.mean_loss(), epoch.step, epoch.diverged};
  if (epoch.diverged) go_back(run);
  return report;
}

// Between runs of the team the gate is open and the host may do anything, also predict with this network.
template <class T>
void Fit<T>::run_until(Run& run, Size until) {
  while (run.epoch.step < until && !run.epoch.diverged && !run.cancel.poll()) {
    if (run.long_steps)
      run_long_step(run);
    else
      run_steps(run, until);
  }
}

// The life of a batch, on every member: what comes before any parameter changes; then, when that is there for all rows,
// what changes them. The run ends early, after a whole step, when a prediction waits or the host is to be asked.
template <class T>
void Fit<T>::run_steps(Run& run, Size until) {
  Epoch<T>& epoch = run.epoch;
  const Gate::Writer writer(training_.network.gate, &run.cancel);
  if (!writer) return;
  const Size from = epoch.step;
  const std::uint64_t counter = training_.counters.step;
  const bool looks_seldom = step_flops() <= runtime::kTinyFlops;
  const Runner<T> runner = run.runner();
  // The calling thread may change it before the first barrier of a step; all look at it before the second.
  Size end = kPoisons ? from + 1 : until;
  epoch.poison();
  auto body = [&](Member& me) {
    const runtime::FlushDenormals flush(training_.network.kernels.flush_subnormals);
    typename Epoch<T>::Own& own = epoch.own(me);
    for (Size step = from;; ++step) {
      if (me.is_caller()) {
        const bool look = !looks_seldom || step % runtime::kStepsPerLook == 0;
        if (writer.readers_wait() || (look && run.cancel.due())) end = step + 1;
        training_.begin_step(epoch.options().lr);
      }
      const nn::Pass<T> pass = training_pass(me, counter + (step - from));
      epoch.begin(me, step);
      if (run.tiny != nullptr)
        tiny_step(run, pass);
      else
        runner.run(0, run.program.update, me, pass, own.view);
      me.barrier();
      const bool last = step + 1 >= end;
      const double loss = epoch.batch_loss(own.batch);
      if (!std::isfinite(loss)) {
        if (me.is_caller()) epoch.diverged = true;
        return;
      }
      if (run.tiny != nullptr)
        run.tiny->update();
      else
        runner.run(run.program.update, run.program.phases.size(), me, pass, own.view);
      me.barrier();
      if (me.is_caller()) end_step(run, loss, own.batch.weight_sum);
      if (last) return;
    }
  };
  runtime::run_on_team(run.members(), body);
}

template <class T>
void Fit<T>::tiny_step(Run& run, const nn::Pass<T>& pass) {
  typename Epoch<T>::Own& own = run.epoch.own(pass.me);
  const Range rows{0, own.batch.x.rows};
  run.epoch.gather(pass.me, own.view, rows);
  run.tiny->forward(own.batch.x);
  run.epoch.loss(pass, own.view, rows);
  if (run.epoch.wants_outputs()) {
    const nn::Part part{rows};
    for (Size i = plan_->head_stages(); i < plan_->stages().size(); ++i)
      plan_->stages()[i].layer().forward(pass, own.view.frame(i), part, 0);
    run.epoch.outputs(pass.me, own.view, rows);
  }
  run.tiny->backward(own.batch.x);
}

// The same with the same bits where a step may take too long to be waited for, or has a loss of the host's. All
// gradients are computed first, with the gate open, and the host is asked meanwhile; only the update, which is short,
// must not be interrupted. When it turns out that this CPU is quick enough, the others are ordinary steps: they need not
// write all gradients and read them again.
template <class T>
void Fit<T>::run_long_step(Run& run) {
  const auto started = std::chrono::steady_clock::now();
  Epoch<T>& epoch = run.epoch;
  const Runner<T> runner = run.runner();
  const auto phases = [&](Size first, Size last, runtime::Cancel* cancel) {
    auto body = [&](Member& me) {
      const runtime::FlushDenormals flush(training_.network.kernels.flush_subnormals);
      epoch.begin(me, epoch.step);
      runner.run(first, last, me, training_pass(me, training_.counters.step), epoch.own(me).view);
    };
    runtime::run_on_team(run.members(), body, cancel);
    return !run.cancel.requested();
  };
  const Program& program = run.program;
  typename Epoch<T>::Own& own = epoch.own();
  epoch.poison();
  double loss = 0;
  if (epoch.has_host_loss()) {
    if (!phases(0, program.host, &run.cancel)) return;
    loss = epoch.host_loss(own);
    epoch.diverged = !std::isfinite(loss);
    if (epoch.diverged) return;
  }
  if (!phases(program.host, program.update, &run.cancel)) return;
  if (!epoch.has_host_loss()) loss = epoch.batch_loss(own.batch);
  epoch.diverged = !std::isfinite(loss);
  if (epoch.diverged) return;
  const Gate::Writer writer(training_.network.gate, &run.cancel);
  if (!writer) return;
  if (epoch.has_host_loss()) snapshots_.take(training_);  // the host's loss may not be the same once more
  training_.begin_step(epoch.options().lr);
  phases(program.update, program.phases.size(), nullptr);
  end_step(run, loss, own.batch.weight_sum);
  quick_ = !epoch.has_host_loss() && std::chrono::steady_clock::now() - started < runtime::kQuickStep;
  if (quick_) choose_way(run);
}

template <class T>
void Fit<T>::end_step(Run& run, double loss, double weight) {
  training_.end_step();
  run.epoch.count(loss, weight);
}

// Puts the state back to right before the last update, whose result gave a loss that is not finite. Once more where
// parameters are not finite there either: an infinite weight can hide behind a ReLU for one step, until it becomes NaN.
template <class T>
void Fit<T>::go_back(Run& run) {
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
  } while (!run.epoch.diverged && !run.cancel.requested() && !training_.network.parameters_finite());
}

template class Fit<float>;
template class Fit<double>;

}  // namespace nnext::train
