// The one door through which arrays come in: what is taken, what is refused, and as what it arrives.
//
// float32, float64, float16, integers and bool in any layout are taken, without a copy where they lie as
// the core wants them; nothing else is. pybind11's forcecast is never used: it drops masks, reads
// strings as numbers and cuts 1.7 to 1.
#pragma once

#include <array>
#include <span>

#include "bindings/argument.h"
#include "core/view.h"

namespace nnext::bindings {

using core::ConstMatrix;
using core::Matrix;

// Any object as an ndarray of whatever it holds; TypeError for those that NumPy takes for a single thing.
py::array as_array(const py::handle& object, const Argument& argument);

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

// Whether some bytes could belong to both: an array, or a tuple of such, and another one.
bool may_overlap(const py::object& arrays, const py::array& b);

// Of results: (rows, cols), or (cols,) for one sample.
struct Shape {
  std::array<py::ssize_t, 2> extents;
  Size first;  // that counts

  static Shape matrix(Size rows, Size cols) {
    return {{static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(cols)}, 0};
  }
  static Shape row(Size cols) { return {{1, static_cast<py::ssize_t>(cols)}, 1}; }
  std::span<const py::ssize_t> span() const { return std::span(extents).subspan(first); }
};

// The caller's array to write results of that shape into; a new one for None.
template <class T>
py::array_t<T> as_output(const py::object& out, const Shape& shape, const Argument& argument);

}  // namespace nnext::bindings
