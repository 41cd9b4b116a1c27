// The passes of one batch. Each member of the team takes its own rows forward and backward without waiting for anybody,
// since a row's outputs and input gradients need only that row; then, after a barrier, its own pieces of the weights,
// whose gradients need all rows.
#pragma once

#include "runtime/team.h"
#include "train/shares.h"
#include "train/state.h"

namespace nnext::train {

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

// What the gradients of all pieces over the batch x share; between two barriers, where there is such a thing at all.
template <class T>
void prepare_gradients(Plan<T>& plan, const nn::Pass<T>& pass, runtime::Member& me, ConstMatrix<T> x);

// The gradient of a task's piece over the batch x.
template <class T>
void compute_gradient(Plan<T>& plan, const nn::Pass<T>& pass, ConstMatrix<T> x, const GradientTask<T>& task, T* out);

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
