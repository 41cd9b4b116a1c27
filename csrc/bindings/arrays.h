// The one door through which arrays come in: what is taken, what is refused, and as what it arrives.
//
// float32, float64, float16, integers and bool in any layout are taken, without a copy where they lie as
// the core wants them; nothing else is. pybind11's forcecast is never used: it drops masks, reads
// strings as numbers and cuts 1.7 to 1.
#pragma once

#include <vector>

#include "bindings/argument.h"
#include "core/view.h"
#include "ops/loss.h"

namespace nnext::bindings {

using core::ConstMatrix;
using core::Matrix;

// Any accepted object as an ndarray of numbers, its memory untouched. TypeError for every other kind.
py::array as_numbers(const py::handle& object, const Argument& argument);

// An array of numbers as T, C-contiguous and aligned; a copy only where that is not so already. ValueError, with the
// index, for numbers that are finite in float64 but not in T.
template <class T>
py::array_t<T> as_contiguous(const py::array& numbers, const Argument& argument);

// ValueError with count and first index if any element is NaN or infinite.
template <class T>
void require_finite(const py::array_t<T>& array, const Argument& argument);

// A float32 or float64 array seen as it lies, with any strides; others are converted.
template <class T>
struct StridedMatrix {
  py::array keep;
  ConstMatrix<T> view;
};
template <class T>
StridedMatrix<T> as_strided_matrix(const py::array& numbers, const Argument& argument);

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

// Whether some bytes could belong to both.
bool may_overlap(const py::array& a, const py::array& b);

// The caller's array to write (rows, cols) results into.
template <class T>
py::array_t<T> as_output(const py::object& out, Size rows, Size cols, const Argument& argument);

}  // namespace nnext::bindings
