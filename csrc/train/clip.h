// Clipping by the global norm: all gradients are scaled by the same factor so that together they are no longer than a
// limit. Pascanu, Mikolov and Bengio, ICML 2013; the factor is PyTorch's.
#pragma once

#include <vector>

#include "train/shares.h"
#include "train/sinks.h"

namespace nnext::train {

// The squares of every column of every gradient are summed over its rows, then the columns in their order, all in
// double: panels differ between instruction sets and pieces between teams, columns do not.
template <class T>
class NormClip {
 public:
  NormClip(const nn::Section<T>& section, double limit);
  // Sums the squares of this member's share of the columns.
  void norms(const runtime::Member& me, const Gradients<T>& gradients);
  // After a barrier: min(1, limit / (norm + 1e-6)).
  T factor() const;

 private:
  struct Columns {
    const nn::Node<T>* node;
    Size parameter;  // of the layer
    Size first, count;
  };

  const kernels::KernelTable<T>& kernels_;
  double limit_;
  std::vector<Columns> columns_;
  std::vector<double> squares_;  // of every column
};

// Applies a step to this member's pieces from gradients that are all there, times a factor.
template <class T>
void apply_gradients(Training<T>& training, const Plan<T>& plan, const Shares& shares, const runtime::Member& me,
                     Gradients<T>& gradients, T factor);

}  // namespace nnext::train
