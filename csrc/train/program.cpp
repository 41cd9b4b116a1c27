#include "train/program.h"

#include <algorithm>

namespace nnext::train {

using runtime::Range;

// ---- making a program -----------------------------------------------------------------------------------------------

template <class T>
Phase& ProgramBuilder<T>::phase(Phase::By by) {
  if (closed_ || program_.phases.empty() || program_.phases.back().by != by) program_.phases.push_back({by});
  closed_ = false;
  return program_.phases.back();
}

template <class T>
void ProgramBuilder<T>::all(Instruction instruction) {
  program_.phases.push_back({Phase::By::all, {instruction}});
}

template <class T>
void ProgramBuilder<T>::rounds(Work work, Size stage) {
  const int count = plan_.stages()[stage].layer().rounds(plan_.training());
  for (int round = 0; round < count; ++round) {
    closed_ |= round > 0;
    phase(Phase::By::rows).instructions.push_back({work, stage, round});
  }
}

template <class T>
void ProgramBuilder<T>::first_by_features() {
  program_.phases.push_back({Phase::By::features, {{Work::gather}, {Work::forward}}});
}

template <class T>
void ProgramBuilder<T>::host_loss() {
  program_.host = program_.phases.size();
  closed_ = true;
}

template <class T>
void ProgramBuilder<T>::forward(Size first, Size last) {
  for (Size i = first; i < last; ++i)
    if (plan_.stages()[i].goes_forward()) rounds(Work::forward, i);
}

template <class T>
void ProgramBuilder<T>::backward(Size first, Size last) {
  for (Size i = last; i-- > first;)
    if (plan_.stages()[i].goes_backward()) rounds(Work::backward, i);
}

template <class T>
void ProgramBuilder<T>::gradients(bool at_once, bool clips) {
  std::vector<Instruction> prepare;
  for (Size i = 0; i < plan_.stages().size(); ++i)
    if (const Stage<T>& stage = plan_.stages()[i]; stage.trains() && stage.layer().prepares_gradients())
      prepare.push_back({Work::prepare, i});
  if (!prepare.empty()) program_.phases.push_back({Phase::By::all, std::move(prepare)});
  if (at_once) program_.per_batch = program_.update = program_.phases.size();
  all({Work::gradient});
  if (at_once) return;
  program_.per_batch = program_.phases.size();
  if (clips) all({Work::norms});
  program_.update = program_.phases.size();
  all({Work::update});
}

template <class T>
Program ProgramBuilder<T>::take() {
  if (program_.update == 0) program_.update = program_.phases.size();
  return std::move(program_);
}

// ---- running it -----------------------------------------------------------------------------------------------------

template <class T>
void Runner<T>::run(Size first, Size last, runtime::Member& me, const nn::Pass<T>& pass, View<T>& view) const {
  for (Size i = first; i < last; ++i) {
    if (i > first) me.barrier();
    const Phase& phase = program.phases[i];
    switch (phase.by) {
      case Phase::By::rows:
        by_rows(phase, pass, view);
        break;
      case Phase::By::features:
        by_features(phase, pass, view);
        break;
      case Phase::By::all:
        by_themselves(phase, pass, view);
        break;
    }
  }
}

// All instructions for a block of rows, then the next block: what they read stays in L2.
template <class T>
void Runner<T>::by_rows(const Phase& phase, const nn::Pass<T>& pass, View<T>& view) const {
  const Range mine = pass.me.share(view.input().rows, view.plan().row_grain());
  const Size at_once = std::min(block, view.plan().block_rows());
  for (Size begin = mine.begin; begin < mine.end && !pass.me.stop();) {
    const Size end = mine.end - begin > at_once ? begin + at_once : mine.end;
    const nn::Part part{{begin, end}, nn::Split::rows, begin == mine.begin};
    for (const Instruction& at : phase.instructions) {
      if (pass.me.stop()) return;
      switch (at.work) {
        case Work::gather:
          context.gather(pass.me, view, part);
          break;
        case Work::forward:
          go_forward(pass, view, at.stage, part, at.round);
          break;
        case Work::loss:
          context.loss(pass, view, part);
          break;
        case Work::outputs:
          context.outputs(pass.me, view, part);
          break;
        case Work::backward:
          go_backward(pass, view, at.stage, part, at.round);
          break;
        default:
          break;
      }
    }
    begin = end;
  }
}

// Every member gathers all rows for itself: its copy stays in its L2 for the gradient.
template <class T>
void Runner<T>::by_features(const Phase& phase, const nn::Pass<T>& pass, View<T>& view) const {
  if (context.is_ahead(pass.me, view)) return;
  for (const Instruction& at : phase.instructions) {
    if (at.work == Work::gather) {
      context.gather(pass.me, view, {0, view.input().rows});
      continue;
    }
    nn::Part part{{}, nn::Split::features};
    for_own_shares(pass.me, shares, [&](Size share) {
      static_cast<Range&>(part) = shares.first_blocks[share];
      view.plan().stages()[at.stage].layer().forward(pass, view.frame(at.stage), part, at.round);
      part.first = false;
    });
  }
}

template <class T>
void Runner<T>::by_themselves(const Phase& phase, const nn::Pass<T>& pass, View<T>& view) const {
  for (const Instruction& at : phase.instructions) {
    if (pass.me.stop()) return;
    switch (at.work) {
      case Work::prepare:
        view.plan().stages()[at.stage].layer().prepare_gradients(pass, view.frame(at.stage));
        break;
      case Work::gradient:
        gradients(pass, view);
        break;
      case Work::norms:
        context.norms(pass.me);
        break;
      case Work::update:
        context.update(pass.me);
        break;
      default:
        break;
    }
  }
}

template <class T>
void Runner<T>::gradients(const nn::Pass<T>& pass, View<T>& view) const {
  for_own_tasks(pass.me, shares, [&](const Task& task) {
    const Stage<T>& stage = view.plan().stages()[task.stage];
    stage.layer().gradients(pass, view.frame(task.stage), task.pieces, context.sink(pass.me, stage));
  });
}

template class ProgramBuilder<float>;
template class ProgramBuilder<double>;
template struct Runner<float>;
template struct Runner<double>;

}  // namespace nnext::train
