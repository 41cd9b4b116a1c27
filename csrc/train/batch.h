// The passes of one batch. Each member of the team takes its own rows forward and backward without waiting for anybody,
// since a row's outputs and input gradients need only that row; then, after a barrier, its own pieces of the weights,
// whose gradients need all rows.
#pragma once

#include "runtime/team.h"
#include "train/plan.h"
#include "train/state.h"

namespace nnext::train {

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

// Stages [first, last) of a plan.
struct Stages {
  Size first, last;
};

// Values of these stages for rows [rows.begin, rows.end) of the batch x, unless the member of the pass should stop.
template <class T>
void forward_rows(Plan<T>& plan, nn::Pass<T> pass, ConstMatrix<T> x, runtime::Range rows, Stages stages);

// Gradients of what these stages read, the last one's first, unless the member should stop.
template <class T>
void backward_rows(Plan<T>& plan, nn::Pass<T> pass, runtime::Range rows, Stages stages);

// The first stage whose parameters change: nothing below needs a gradient.
template <class T>
Size first_trainable_stage(const Plan<T>& plan);

// The gradient of a task's piece over the batch x.
template <class T>
void compute_gradient(Plan<T>& plan, const nn::Pass<T>& pass, ConstMatrix<T> x, const GradientTask<T>& task, T* out);

// Cuts the tasks into `shares` contiguous ones of about equal numbers of elements.
template <class T>
std::vector<runtime::Range> share_tasks(const std::vector<GradientTask<T>>& tasks, int shares);

// Calls f(task) for the tasks of this member's shares, more than one where the team is smaller than hoped for, until it
// should stop.
template <class F>
void for_own_tasks(const runtime::Member& me, const std::vector<runtime::Range>& shares, F f) {
  for (Size share = static_cast<Size>(me.index()); share < shares.size(); share += static_cast<Size>(me.count()))
    for (Size task = shares[share].begin; task < shares[share].end && !me.stop(); ++task) f(task);
}

// Rows that go through all stages before the next: their activations stay in L2.
inline constexpr Size kBlockRows = 128;

// Calls f(rows) for blocks of this member's share of n rows, until it should stop.
template <class F>
void for_blocks(const runtime::Member& me, Size n, F f) {
  const runtime::Range mine = me.share(n);
  for (Size i = mine.begin; i < mine.end && !me.stop(); i += kBlockRows)
    f(runtime::Range{i, std::min(i + kBlockRows, mine.end)});
}

// Gradients of all parameters, stored like them.
template <class T>
std::vector<core::Buffer<T>> gradient_buffers(const nn::Network<T>& network);

}  // namespace nnext::train
