#include "bindings/rows.h"

#include <cmath>
#include <limits>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/interrupt.h"
#include "core/buffer.h"
#include "kernels/dispatch.h"

namespace nnext::bindings {
namespace {

using core::ConstMatrix;
using core::Matrix;
using kernels::NumberType;
using train::InputRows;

// A finite number other than 0, also as T.
template <class T>
T as_scale(const py::handle& object, const char* operation) {
  const Argument argument{operation, "scale"};
  const auto given = [&] { return "is " + py::repr(object).cast<std::string>(); };
  const bool number =
      py::isinstance<py::float_>(object) || (py::hasattr(object, "__float__") && !py::isinstance<py::bool_>(object) &&
                                             py::getattr(object, "ndim", py::int_(0)).equal(py::int_(0)));
  if (!number) fail_type(argument, given(), "; give a number");
  const double value = PyFloat_AsDouble(object.ptr());
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  const T scale = static_cast<T>(value);
  const char* cure = "; give a finite number other than 0";
  if (value == 0 || !std::isfinite(value)) fail(argument, given(), cure);
  if (scale == 0 || !std::isfinite(scale)) fail(argument, given(), ", which is ", scale, " in ", kTypeName<T>, cure);
  return scale;
}

// How an array is seen: as rows or, with one dimension, as samples of one feature or as one sample.
struct Seen {
  Size rows, features;
  bool one_sample = false;
};

void require_shape(const py::array& numbers, const RowsWanted& wanted, const Seen& seen, const Argument& argument) {
  if (wanted.features != 0 && seen.features != wanted.features)
    fail(argument, "has ", seen.features, " features but the network expects ", wanted.features, "; ", argument.name,
         " has shape ", shape_text(numbers), ", give (samples, ", wanted.features, ")");
  if (seen.features == 0) fail(argument, "has shape ", shape_text(numbers), ": 0 features; give at least one");
  if (seen.rows > wanted.max_rows)
    fail(argument, "has ", seen.rows, " rows; at most ", wanted.max_rows, " can be taken at once, give it in parts");
}

Size features_of(const py::array& numbers, bool flatten, const Argument& argument) {
  if (numbers.ndim() != 2 && !(flatten && numbers.ndim() > 2)) {
    const char* cure = numbers.ndim() == 1 ? "for one sample use reshape(1, -1), for one feature reshape(-1, 1)"
                                           : "start the network with Flatten(), or use reshape(len(X), -1)";
    fail(argument, "has shape ", shape_text(numbers), "; samples must be rows of a 2-D array: ", cure);
  }
  Size features = 1;
  for (py::ssize_t d = 1; d < numbers.ndim(); ++d) features = core::checked_product(features, extent(numbers, d));
  return features;
}

Seen see(const py::array& numbers, const RowsWanted& wanted, const Argument& argument) {
  if (numbers.ndim() == 1) {
    const Size count = extent(numbers, 0);
    if (wanted.features == 1) return {count, 1};
    if (wanted.one_sample && wanted.features == count && count > 0) return {1, count, true};
  }
  const Size features = features_of(numbers, wanted.flatten, argument);
  return {extent(numbers, 0), features};
}

// Whether the numbers of each sample lie side by side, in order.
bool has_whole_rows(const py::array& numbers, bool one_sample) {
  py::ssize_t step = numbers.itemsize();
  for (py::ssize_t d = numbers.ndim(), first = one_sample ? 0 : 1; --d >= first; step *= numbers.shape(d))
    if (numbers.shape(d) != 1 && numbers.strides(d) != step) return false;
  return true;
}

// The type of numbers that can be read where they lie.
std::optional<NumberType> readable_type(const py::array& numbers, bool one_sample) {
  if (!(numbers.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) || !has_whole_rows(numbers, one_sample)) return {};
  if (py::isinstance<py::array_t<float>>(numbers)) return NumberType::float32;
  if (py::isinstance<py::array_t<double>>(numbers)) return NumberType::float64;
  if (py::isinstance<py::array_t<std::uint8_t>>(numbers)) return NumberType::uint8;
  return {};
}

double largest(NumberType type) {
  switch (type) {
    case NumberType::float32:
      return std::numeric_limits<float>::max();
    case NumberType::float64:
      return std::numeric_limits<double>::max();
    default:
      return std::numeric_limits<std::uint8_t>::max();
  }
}

// Whether the network reads finite numbers only. Goes in blocks that stay in L1: nothing of X's size is allocated.
template <class T>
bool all_finite(const InputRows<T>& x, Size distinct_rows) {
  constexpr Size kBlock = 4096;
  const Size rows = std::max<Size>(kBlock / x.cols, 1);
  core::Buffer<T> room(x.in_place() ? 0 : std::min(rows, distinct_rows) * x.cols);
  for (Size first = 0; first < distinct_rows; first += rows) {
    check_signals();
    const Size count = std::min(rows, distinct_rows - first);
    const ConstMatrix<T> block = x.view_or_read(first, Matrix<T>(room.data(), count, x.cols));
    if (kernels::current_kernels<T>().reduce.count_nonfinite(count * x.cols, block.data) > 0) return false;
  }
  return true;
}

// Throws for the first number that only the network's type or the scale makes infinite, then for those that
// are NaN or infinite as they are.
template <class T>
void refuse_values(const Rows<T>& rows, const train::Stored& stored, T scale, bool finite, const Argument& argument) {
  const InputRows<T>& x = rows.view;
  const InputRows<double> exact(kernels::current_kernels<double>().convert, x.rows, x.cols, stored, 1);
  core::Buffer<double> values(x.cols);
  core::Buffer<T> seen(x.cols);
  Size count = 0, first = 0;
  double first_value = 0;
  for (Size i = 0; i < x.rows; ++i) {
    check_signals();
    exact.read(i, {values.data(), 1, x.cols});
    x.read(i, {seen.data(), 1, x.cols});
    for (Size j = 0; j < x.cols; ++j) {
      const Size at = i * x.cols + j;
      if (!std::isfinite(values[j])) {
        if (count++ == 0) first = at, first_value = values[j];
      } else if (std::isinf(static_cast<T>(values[j]))) {
        fail_too_large(argument, values[j], index_text(rows.keep, at));
      } else if (std::isinf(seen[j])) {
        fail(argument, "has ", values[j], " at ", index_text(rows.keep, at), ", which times scale ", scale,
             " is infinite in ", kTypeName<T>, "; give a smaller scale");
      }
    }
  }
  if (finite && count > 0) fail_nonfinite(argument, count, first_value, index_text(rows.keep, first));
}

// Looks at the values only where some of the type could be infinite or NaN to the network.
template <class T>
void check_values(const Rows<T>& rows, const train::Stored& stored, T scale, bool finite, const Argument& argument) {
  const bool may_overflow = std::isinf(static_cast<T>(largest(stored.type)) * scale);
  const bool may_be_nonfinite = finite && stored.type != NumberType::uint8;
  if (!may_overflow && !may_be_nonfinite) return;
  // A view with a stride of 0 may have more rows than there is time for.
  const Size distinct_rows = stored.row_bytes == 0 ? std::min<Size>(rows.view.rows, 1) : rows.view.rows;
  if (!all_finite(rows.view, distinct_rows)) refuse_values(rows, stored, scale, finite, argument);
}

}  // namespace

template <class T>
Rows<T> as_rows(const py::handle& object, const RowsWanted& wanted, const Argument& argument) {
  const T scale = wanted.scale ? as_scale<T>(wanted.scale, argument.operation) : T(1);
  const py::array numbers = as_numbers(object, argument);
  const Seen seen = see(numbers, wanted, argument);
  require_shape(numbers, wanted, seen, argument);
  const std::optional<NumberType> readable = readable_type(numbers, seen.one_sample);
  const py::array keep = readable ? numbers : py::array(as_contiguous<T>(numbers, argument));
  const train::Stored stored{readable.value_or(train::kNumberType<T>), keep.data(), keep.strides(0)};
  Rows<T> rows{keep, {kernels::current_kernels<T>().convert, seen.rows, seen.features, stored, scale}, seen.one_sample};
  check_values(rows, stored, scale, wanted.finite, argument);
  return rows;
}

template Rows<float> as_rows(const py::handle&, const RowsWanted&, const Argument&);
template Rows<double> as_rows(const py::handle&, const RowsWanted&, const Argument&);

}  // namespace nnext::bindings
