// What outputs are compared with: targets, and how much each sample counts.
#pragma once

#include <span>
#include <vector>

#include "bindings/argument.h"
#include "core/shape.h"
#include "core/view.h"
#include "ops/loss.h"

namespace nnext::bindings {

using core::ConstMatrix;

// Targets for `rows` samples of a network's output: class labels, one a place, or numbers that lie as the outputs do.
template <class T>
struct TargetArrays {
  std::vector<std::int32_t> indices;
  py::array_t<T> dense;
  ops::Targets<T> view(Size rows, const core::Shape& output) const;
};
template <class T>
TargetArrays<T> as_targets(const py::handle& object, const ops::Loss<T>& loss, Size rows, const core::Shape& output,
                           const Argument& argument);

// Finite weights >= 0, not all zero, divided by their mean: one a sample, or one a place or, where the loss is a mean
// over outputs, one for each of them, which lie as they do. Empty: all are the same. Where the loss weighs classes, the
// mean is that of the weights times those of the classes of `targets`. `ends`: how many places of each row count, over
// which the mean is; empty: all.
template <class T>
struct SampleWeights {
  py::array_t<T> over_mean{};
  double mean = 1;
};
template <class T>
SampleWeights<T> as_sample_weight(const py::handle& object, const ops::Loss<T>& loss, const ops::Targets<T>& targets,
                                  Size rows, const core::Shape& output, std::span<const Size> ends,
                                  const Argument& argument);

// One or more numbers a sample as the rows of a matrix; empty for an empty array.
template <class T>
ConstMatrix<T> matrix_view(const py::array_t<T>& array) {
  if (array.size() == 0) return {};
  return {array.data(), extent(array, 0), static_cast<Size>(array.size()) / extent(array, 0)};
}

}  // namespace nnext::bindings
