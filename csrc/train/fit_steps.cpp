// The steps of an epoch: many in one run of the team, or one in parts.
#include <chrono>
#include <cmath>

#include "runtime/denormals.h"
#include "train/fit.h"
#include "train/fit_run.h"

namespace nnext::train {

using runtime::Gate;
using runtime::Member;

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
        training_.begin_step(epoch.lr(step));
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
      if (me.is_caller()) {
        training_.end_step();
        epoch.count(loss);
      }
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
// must not be interrupted. When it turns out that this CPU is quick enough, the others are ordinary steps: they need
// not write all gradients and read them again.
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
  training_.begin_step(epoch.lr(epoch.step));
  phases(program.update, program.phases.size(), nullptr);
  training_.end_step();
  epoch.count(loss);
  quick_ = !epoch.has_host_loss() && std::chrono::steady_clock::now() - started < runtime::kQuickStep;
  if (quick_) choose_way(run);
}

// The members above; the others are instantiated in fit.cpp.
template class Fit<float>;
template class Fit<double>;

}  // namespace nnext::train
