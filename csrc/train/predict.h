// Forward passes that change nothing: any number of threads may run them on one network.
#pragma once

#include "train/plan.h"
#include "train/state.h"

namespace nnext::train {

// outputs[x.rows, k] = the network's output for x, in evaluation mode. Returns false when the host asked to stop.
// With `head`, also what the loss reads: the input of a last layer that is fused with the loss, else the outputs again.
template <class T>
bool predict(State<T>& state, ConstMatrix<T> x, Matrix<T> outputs, Matrix<T> head = {});

// The (weighted) mean loss of head outputs.
template <class T>
double mean_loss(const State<T>& state, ConstMatrix<T> head, const ops::Targets<T>& targets, const T* weights);

}  // namespace nnext::train
