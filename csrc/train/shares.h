// Which member of the team does what in a step.
#pragma once

#include "train/plan.h"

namespace nnext::train {

using runtime::Range;

// A piece of the work of one step's second half: a piece of a layer's parameter, and the slots its gradient is told
// from.
template <class T>
struct GradientTask {
  Stage<T> stage;
  Size parameter;  // over all layers, as in State::optimizer_state
  nn::Piece piece;
};

// All pieces of all trainable layers, last layer first: its gradients are still in the cache.
template <class T>
std::vector<GradientTask<T>> gradient_tasks(const nn::Network<T>& network, const Plan<T>& plan);

// The first stage that has parameters to change: nothing below needs a gradient.
template <class T>
Size first_trainable_stage(const Plan<T>& plan);

// Rows are shared where nothing else is said: a row's outputs and input gradients need only that row. Tasks are shared
// by number of elements. A share belongs to one member; one member has several where the team is smaller than planned.
struct Shares {
  std::vector<std::vector<Size>> tasks;
  // Not empty: output blocks of the first stage. Each share computes its blocks for all rows and alone reads and
  // changes their weights, which so stay in its member's L2 instead of crossing to the other cores twice a step.
  std::vector<Range> first_blocks;

  Size count() const { return tasks.size(); }
  bool split_first() const { return !first_blocks.empty(); }
};

template <class T>
Shares share_rows(const std::vector<GradientTask<T>>& tasks, int shares);

// The same with the first stage split by blocks where they are enough to be fair.
template <class T>
Shares share_step(const Plan<T>& plan, const std::vector<GradientTask<T>>& tasks, int shares);

// Calls f(share) for this member's shares.
template <class F>
void for_own_shares(const runtime::Member& me, const Shares& shares, F f) {
  for (Size share = static_cast<Size>(me.index()); share < shares.count(); share += static_cast<Size>(me.count()))
    f(share);
}

// Calls f(task) for the tasks of this member's shares until it should stop.
template <class F>
void for_own_tasks(const runtime::Member& me, const Shares& shares, F f) {
  for_own_shares(me, shares, [&](Size share) {
    for (const Size task : shares.tasks[share]) {
      if (me.stop()) return;
      f(task);
    }
  });
}

}  // namespace nnext::train
