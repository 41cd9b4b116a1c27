// The passes of one batch. Each member of the team takes its own rows forward and backward without waiting for anybody,
// since a row's outputs and input gradients need only that row; then, after a barrier, its own pieces of the weights, whose
// gradients need all rows.
#pragma once

#include "runtime/team.h"
#include "train/plan.h"
#include "train/state.h"

namespace nnext::train {

// A piece of the work of one step's second half: a piece of a layer's parameter, and the slots its gradient is told from.
template <class T>
struct GradientTask {
  Stage<T> stage;
  Size parameter;  // over all layers, as in State::optimizer_state
  nn::Piece piece;
};

// All pieces of all trainable layers, last layer first: its gradients are still in the cache.
template <class T>
std::vector<GradientTask<T>> gradient_tasks(const nn::Network<T>& network, const Plan<T>& plan);

// Values of stages [first, last) for rows [rows.begin, rows.end) of the batch x.
template <class T>
void forward_rows(Plan<T>& plan, nn::Pass<T> pass, ConstMatrix<T> x, runtime::Range rows, Size first, Size last);

// Gradients of what stages [first, last) read, from last - 1 down to first.
template <class T>
void backward_rows(Plan<T>& plan, nn::Pass<T> pass, runtime::Range rows, Size first, Size last);

// The first stage whose parameters change: nothing below needs a gradient.
template <class T>
Size first_trainable_stage(const Plan<T>& plan);

// The gradient of a task's piece over the batch x.
template <class T>
void compute_gradient(Plan<T>& plan, const nn::Pass<T>& pass, ConstMatrix<T> x, const GradientTask<T>& task, T* out);

// Cuts the tasks into one contiguous share a member, of about equal numbers of elements.
template <class T>
std::vector<runtime::Range> share_tasks(const std::vector<GradientTask<T>>& tasks, int members);

}  // namespace nnext::train
