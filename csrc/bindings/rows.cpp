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
using core::Shape;
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

// How an array is seen: as samples of a shape, or as one of them.
struct Seen {
  Size rows;
  Shape shape;
  bool one_sample = false;
};

std::vector<Size> extents_of(const py::array& numbers, py::ssize_t first) {
  std::vector<Size> extents;
  for (py::ssize_t d = first; d < numbers.ndim(); ++d) extents.push_back(extent(numbers, d));
  return extents;
}

// "(samples, 3, height, width)" or "(samples, 5)".
std::string wanted_text(const nn::Intake& intake) {
  if (!intake.channels_first) return core::message("(samples, ", intake.channels, ")");
  const char* const axes = intake.axes == 1 ? ", length)" : ", height, width)";
  return intake.channels == 0 ? core::message("(samples, channels", axes)
                              : core::message("(samples, ", intake.channels, axes);
}

template <class T>
void require_fit(const py::array& numbers, const nn::Network<T>& network, const Seen& seen, const Argument& argument) {
  const std::optional<Shape>& input = network.input();
  const nn::Intake intake = network.intake().value_or(nn::Intake{});
  const Size channels = input ? input->channels : intake.channels;
  if (channels != 0 && seen.shape.channels != channels)
    fail(argument, "has ", seen.shape.channels, seen.shape.channels_first ? " channels" : " features",
         " but the network expects ", channels, "; ", argument.name, " has shape ", shape_text(numbers), ", give ",
         wanted_text({channels, intake.axes, intake.channels_first}),
         seen.shape.axes > 0 && !intake.channels_first ? ", or start the network with Flatten()" : "");
  if (network.takes_only_input() && seen.shape != *input)
    fail(argument, "has shape ", shape_text(numbers), ", samples of ", text(seen.shape), ", but the network takes ",
         text(*input), "; give samples of that shape, or make the network with another input_shape");
}

template <class T>
void require_shape(const py::array& numbers, const RowsWanted<T>& wanted, const Seen& seen, const Argument& argument) {
  if (wanted.network != nullptr) require_fit(numbers, *wanted.network, seen, argument);
  if (seen.shape.numbers() == 0)
    fail(argument, "has shape ", shape_text(numbers), ": 0 ", seen.shape.axes == 0 ? "features" : "numbers a sample",
         "; give at least one");
  if (seen.rows > wanted.max_rows)
    fail(argument, "has ", seen.rows, " rows; at most ", wanted.max_rows, " can be taken at once, give it in parts");
}

// A sample alone, of the shape that the network is known to take.
template <class T>
std::optional<Seen> see_one(const py::array& numbers, const RowsWanted<T>& wanted) {
  if (!wanted.one_sample || wanted.network == nullptr || !wanted.network->input()) return {};
  const Shape& input = *wanted.network->input();
  if (numbers.ndim() != static_cast<py::ssize_t>(input.axes) + 1 || extents_of(numbers, 0) != input.extents())
    return {};
  const bool also_rows = input.axes > 0 && wanted.network->read(extents_of(numbers, 1)) == input;
  return also_rows ? std::nullopt : std::optional<Seen>({1, input, true});
}

template <class T>
Seen see(const py::array& numbers, const RowsWanted<T>& wanted, const Argument& argument) {
  const bool one_feature = wanted.network != nullptr && wanted.network->input() == Shape(1);
  if (numbers.ndim() == 1 && one_feature) return {extent(numbers, 0), 1};
  if (const std::optional<Seen> one = see_one(numbers, wanted)) return *one;
  if (numbers.ndim() < 2)
    fail(argument, "has shape ", shape_text(numbers), "; samples must be rows of a 2-D array: for one sample use ",
         "reshape(1, -1), for one feature reshape(-1, 1)");
  const std::vector<Size> extents = extents_of(numbers, 1);
  std::optional<Shape> shape;
  if (wanted.network != nullptr)
    shape = wanted.network->read(extents);
  else
    shape = wanted.shape.extents() == extents
                ? wanted.shape
                : Shape(std::span(extents).first(extents.size() - 1), extents.back(), false);
  if (!shape)
    fail(argument, "has shape ", shape_text(numbers), " but the network's first layer takes ",
         wanted_text(*wanted.network->intake()), wanted.network->intake()->channels_first ? ", channels first" : "",
         "; reshape ", argument.name, ", or start the network with Flatten()");
  return {extent(numbers, 0), *shape};
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
  const InputRows<T> as_given(kernels::current_kernels<T>().convert, x.rows, x.cols, stored, scale);  // not turned
  core::Buffer<double> values(x.cols);
  core::Buffer<T> seen(x.cols);
  Size count = 0, first = 0;
  double first_value = 0;
  for (Size i = 0; i < x.rows; ++i) {
    check_signals();
    exact.read(i, {values.data(), 1, x.cols});
    as_given.read(i, {seen.data(), 1, x.cols});
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
Rows<T> as_rows(const py::handle& object, const RowsWanted<T>& wanted, const Argument& argument) {
  const T scale = wanted.scale ? as_scale<T>(wanted.scale, argument.operation) : T(1);
  const py::array numbers = as_numbers(object, argument);
  const Seen seen = see(numbers, wanted, argument);
  require_shape(numbers, wanted, seen, argument);
  const std::optional<NumberType> readable = readable_type(numbers, seen.one_sample);
  const py::array keep = readable ? numbers : py::array(as_contiguous<T>(numbers, argument));
  const train::Stored stored{readable.value_or(train::kNumberType<T>), keep.data(), keep.strides(0)};
  Rows<T> rows{keep, {kernels::current_kernels<T>().convert, seen.rows, seen.shape, stored, scale}, seen.one_sample};
  check_values(rows, stored, scale, wanted.finite, argument);
  return rows;
}

template Rows<float> as_rows(const py::handle&, const RowsWanted<float>&, const Argument&);
template Rows<double> as_rows(const py::handle&, const RowsWanted<double>&, const Argument&);

}  // namespace nnext::bindings
