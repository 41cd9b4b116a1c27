// The steps of an epoch: many in one run of the team, or one in parts.
#include <chrono>
#include <cmath>

#include "train/fit.h"
#include "train/fit_run.h"

namespace nnext::train {

using runtime::Gate;
using runtime::Member;

// Between runs of the team the gate is open and the host may do anything, also predict with this network.
template <class T>
void Fit<T>::run_until(Run& run, Size until) {
  while (run.epoch.step < until && !run.epoch.diverged && !run.out_of_time() && !run.cancel.poll()) {
    if (training_.trial != nullptr)
      run_minimizing_step(run);
    else if (run.long_steps)
      run_long_step(run);
    else
      training_.pace.run(run.members(), [&](int members) { return run_steps(run, until, members); });
  }
}

namespace {

// When a run ends so that the team may have another size: soon where it has fewer members than it could, or where some
// come late; after each step where it always changes.
class PieceEnd {
 public:
  PieceEnd(int members, int most) : small_(members < most), may_change_(most > 1 && size_ != TeamSize::fixed) {}
  bool is_here(const Member& me, Clock::time_point now) const {
    if (!may_change_) return false;
    return size_ == TeamSize::changing || (now - begin_ >= runtime::kPiece && (small_ || me.late() > runtime::kLate));
  }

 private:
  using TeamSize = runtime::TeamSize;
  TeamSize size_ = runtime::team_size();
  bool small_, may_change_;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace

// The life of a batch, on every member: what comes before any parameter changes; then, when that is there for all rows,
// what changes them. The run ends early, after a whole step, when a prediction waits, the host is to be asked, or the
// team may change its size.
template <class T>
runtime::Pace::Piece Fit<T>::run_steps(Run& run, Size until, int members) {
  Epoch<T>& epoch = run.epoch;
  const Gate::Writer writer(training_.network.gate, &run.cancel);
  if (!writer) return {};
  const Size from = epoch.step;
  const std::uint64_t counter = training_.counters.step;
  const bool looks_seldom = step_flops(epoch) <= runtime::kTinyFlops;
  const PieceEnd end_of_piece(members, run.members());
  const auto is_time = [&](const Member& me, Clock::time_point now) {
    return run.cancel.due(now) || end_of_piece.is_here(me, now);
  };
  const Runner<T> runner = run.runner();
  // The calling thread may change it before the first barrier of a step; all look at it before the second.
  Size end = kPoisons ? from + 1 : until;
  epoch.begin_run();
  auto body = [&](Member& me) {
    typename Epoch<T>::Own& own = epoch.own(me);
    for (Size step = from;; ++step) {
      if (me.is_caller()) {
        const bool look = !looks_seldom || step % runtime::kStepsPerLook == 0;
        if (writer.readers_wait() || (look && is_time(me, Clock::now()))) end = step + 1;
        epoch.begin_update(step);
      }
      if (run.tiny != nullptr)
        tiny_step(run, me, step, counter + (step - from));
      else
        before_update(run, runner, me, step, counter + (step - from));
      me.barrier();
      const bool last = step + 1 >= end;
      const double loss = epoch.step_loss(own.batch);
      if (!std::isfinite(loss)) {
        if (me.is_caller()) epoch.diverged = true;
        return;
      }
      if (run.goes_ahead) epoch.go_ahead(me, last);
      if (run.tiny != nullptr)
        run.tiny->update();
      else
        runner.run(run.program.update, run.program.phases.size(), me, training_pass(me, counter + (step - from), 0),
                   own.view);
      me.barrier();
      if (me.is_caller()) {
        training_.end_step();
        epoch.count(loss);
      }
      if (last) return;
    }
  };
  const runtime::TeamRun went = runtime::run_on_team(members, body, nullptr, training_.network.float_mode(true));
  return used({step_flops(epoch) * static_cast<double>(epoch.step - from), went});
}

template <class T>
runtime::Pace::Piece Fit<T>::used(runtime::Pace::Piece piece) {
  training_.team.add(piece);
  return piece;
}

// All phases before the update, for each batch of a step.
template <class T>
void Fit<T>::before_update(Run& run, const Runner<T>& runner, Member& me, Size step, std::uint64_t counter) {
  typename Epoch<T>::Own& own = run.epoch.own(me);
  for (Size batch = 0, count = run.epoch.batches(step); batch < count; ++batch) {
    if (batch > 0) me.barrier();  // all members are done with the one before
    run.epoch.begin(me, step, batch);
    runner.run(0, run.phases_of(batch, count), me, training_pass(me, counter, own.batch.before), own.view);
  }
}

template <class T>
void Fit<T>::tiny_step(Run& run, Member& me, Size step, std::uint64_t counter) {
  typename Epoch<T>::Own& own = run.epoch.own(me);
  run.epoch.begin(me, step, 0);
  const Range rows{0, own.batch.x.rows};
  const nn::Pass<T> pass = training_pass(me, counter, 0);
  run.epoch.gather(me, own.view, rows);
  run.tiny->forward(own.batch.x);
  run.epoch.loss(pass, own.view, rows);
  if (run.epoch.wants_outputs()) {
    const nn::Part part{rows};
    for (Size i = plan_->head_stages(); i < plan_->stages().size(); ++i)
      plan_->stages()[i].layer().forward(pass, own.view.frame(i), part, 0);
    run.epoch.outputs(me, own.view, rows);
  }
  run.tiny->backward(own.batch.x);
}

// The same with the same bits where a step may take too long to be waited for, or has a loss of the host's. All
// gradients are computed first, with the gate open, and the host is asked meanwhile; only the update, which is short,
// must not be interrupted. When it turns out that this CPU is quick enough, the others are ordinary steps: they need
// not write all gradients and read them again.
template <class T>
void Fit<T>::run_long_step(Run& run) {
  const auto started = std::chrono::steady_clock::now();
  Epoch<T>& epoch = run.epoch;
  const std::optional<double> loss = before_long_update(run);
  if (!loss) return;
  epoch.diverged = !std::isfinite(*loss);
  if (epoch.diverged) return;
  const Gate::Writer writer(training_.network.gate, &run.cancel);
  if (!writer) return;
  if (epoch.has_host_loss()) snapshots_.take(training_);  // the host's loss may not be the same once more
  epoch.begin_update(epoch.step);
  run_phases(run, epoch.batches(epoch.step) - 1, run.program.update, run.program.phases.size(), 0, nullptr);
  training_.end_step();
  epoch.count(*loss);
  quick_ = !epoch.has_host_loss() && std::chrono::steady_clock::now() - started < runtime::kQuickStep;
  if (quick_) choose_way(run);
}

// The loss of the step; nothing where the host asks to stop.
template <class T>
std::optional<double> Fit<T>::before_long_update(Run& run) {
  Epoch<T>& epoch = run.epoch;
  double host_loss = 0;
  const double forward = epoch.has_host_loss() ? batch_flops() / 3 : 0;
  for (Size batch = 0, count = epoch.batches(epoch.step); batch < count; ++batch) {
    epoch.begin_run();
    if (epoch.has_host_loss()) {
      if (!run_phases(run, batch, 0, run.program.host, forward, &run.cancel)) return std::nullopt;
      host_loss += epoch.host_loss(epoch.own());
      if (!std::isfinite(host_loss)) return host_loss;
    }
    if (!run_phases(run, batch, run.program.host, run.phases_of(batch, count), batch_flops() - forward, &run.cancel))
      return std::nullopt;
  }
  return epoch.has_host_loss() ? host_loss : epoch.step_loss(epoch.own().batch);
}

// One run of the team, for a batch of the present step, which takes about so many operations; false where the host asks
// to stop.
template <class T>
bool Fit<T>::run_phases(Run& run, Size batch, Size first, Size last, double flops, runtime::Cancel* cancel) {
  const Runner<T> runner = run.runner();
  auto body = [&](Member& me) {
    typename Epoch<T>::Own& own = run.epoch.own(me);
    run.epoch.begin(me, run.epoch.step, batch);
    runner.run(first, last, me, training_pass(me, training_.counters.step, own.batch.before), own.view);
  };
  training_.pace.run(run.members(), [&](int members) {
    const runtime::TeamRun went = runtime::run_on_team(members, body, cancel, training_.network.float_mode(true));
    return used({run.cancel.requested() ? 0 : flops, went});
  });
  return !run.cancel.requested();
}

// The members above; the others are instantiated in fit.cpp and fit_minimize.cpp.
template class Fit<float>;
template class Fit<double>;

}  // namespace nnext::train
