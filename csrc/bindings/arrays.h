// The one door through which arrays come in: what is taken, what is refused, and as what it arrives.
//
// float32, float64, float16, integers and bool in any layout are taken, without a copy where they lie as
// the core wants them; nothing else is. pybind11's forcecast is never used: it drops masks, reads
// strings as numbers and cuts 1.7 to 1.
#pragma once

#include <array>
#include <span>

#include "bindings/argument.h"
#include "core/shape.h"
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

// Of an array of samples as people write it: their number, or nothing for a sample alone, and the extents of one. No
// allocation: a prediction of a small network takes half a microsecond.
class Extents {
 public:
  Extents(Size rows, const core::Shape& shape) { add(rows), add(shape); }
  explicit Extents(const core::Shape& one_sample) { add(one_sample); }
  std::span<const py::ssize_t> span() const { return std::span(sizes_).first(count_); }

 private:
  void add(Size size) { sizes_[count_++] = static_cast<py::ssize_t>(size); }
  void add(const core::Shape& shape) {
    if (shape.channels_first) add(shape.channels);
    for (Size i = 0; i < shape.axes; ++i) add(shape.space[i]);
    if (!shape.channels_first && !shape.single) add(shape.channels);
  }
  std::array<py::ssize_t, core::Shape::kMaxAxes + 2> sizes_{};
  Size count_ = 0;
};

// Throws unless the array has these; `of` says of what: "the result is".
void require_extents(const py::array& array, const Extents& wanted, const char* of, const Argument& argument);

// An array whose values are still to be written.
template <class T>
py::array_t<T> new_array(const Extents& extents);

// The caller's array to write results of that shape into; a new one for None.
template <class T>
py::array_t<T> as_output(const py::object& out, const Extents& extents, const Argument& argument);

}  // namespace nnext::bindings
