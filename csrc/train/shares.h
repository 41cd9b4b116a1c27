// Which member of the team owns what: pieces of the parameters and, where that is fair, features of the first stage.
#pragma once

#include "train/plan.h"

namespace nnext::train {

using runtime::Range;

// Pieces of one stage's parameters.
struct Task {
  Size stage;
  std::vector<nn::Piece> pieces;
};

// Parts of the work for as many members as were planned for; one member has several where the team is smaller. Tasks
// are shared by their work, last stage first: its gradients are still in the cache.
struct Shares {
  std::vector<std::vector<Task>> tasks;
  // Not empty: blocks of features of the first stage. Each share computes its blocks for all rows and alone reads and
  // changes their weights, which so stay in its member's L2 instead of crossing to the other cores twice a step.
  std::vector<Range> first_blocks{};

  Size count() const { return tasks.size(); }
  bool split_first() const { return !first_blocks.empty(); }
};

template <class T>
Shares share_rows(const Plan<T>& plan, int shares);

// The same with the first stage split by features where they are enough to be fair.
template <class T>
Shares share_step(const Plan<T>& plan, int shares);

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
    for (const Task& task : shares.tasks[share]) {
      if (me.stop()) return;
      f(task);
    }
  });
}

}  // namespace nnext::train
