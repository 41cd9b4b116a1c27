// What outputs are compared with: targets, and how much each sample counts.
#pragma once

#include <vector>

#include "bindings/argument.h"
#include "core/view.h"
#include "ops/loss.h"

namespace nnext::bindings {

using core::ConstMatrix;

// Targets for `rows` samples and `outputs` network outputs.
template <class T>
struct TargetArrays {
  std::vector<std::int32_t> indices;
  py::array_t<T> dense;
  ops::Targets<T> view(Size rows, Size outputs) const;
};
template <class T>
TargetArrays<T> as_targets(const py::handle& object, ops::TargetKind kind, Size rows, Size outputs,
                           const Argument& argument);

// Finite weights >= 0, not all zero, divided by their mean: one a sample or, where the loss is a mean over outputs, one
// for each of them. Empty for None.
template <class T>
py::array_t<T> as_sample_weight(const py::handle& object, ops::TargetKind kind, Size rows, Size outputs,
                                const Argument& argument);

// One or more numbers a sample as the rows of a matrix; empty for an empty array.
template <class T>
ConstMatrix<T> matrix_view(const py::array_t<T>& array) {
  if (array.size() == 0) return {};
  return {array.data(), extent(array, 0), static_cast<Size>(array.size()) / extent(array, 0)};
}

}  // namespace nnext::bindings
