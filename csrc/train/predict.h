// Forward passes that change nothing: any number of threads may run them on one network.
#pragma once

#include "data/source.h"
#include "train/training.h"

namespace nnext::train {

// outputs[x.rows, k] = the network's output for x, in evaluation mode; unfinished when the host asks to stop.
template <class T>
void predict(Training<T>& training, const data::Source<T>& x, Matrix<T> outputs, runtime::Cancel& cancel);

// The same, and the (weighted) mean loss.
template <class T>
double evaluate(Training<T>& training, const data::Source<T>& x, const ops::Targets<T>& targets, ConstMatrix<T> weights,
                Matrix<T> outputs, runtime::Cancel& cancel);

}  // namespace nnext::train
