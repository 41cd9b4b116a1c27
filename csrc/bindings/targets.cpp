#include "bindings/targets.h"

#include <algorithm>
#include <cmath>

#include "bindings/arrays.h"
#include "kernels/dispatch.h"
#include "train/output_rows.h"

namespace nnext::bindings {
namespace {

using core::Matrix;

void require_rows(const py::array& numbers, Size rows, const Argument& argument) {
  if (numbers.ndim() == 0) fail(argument, "is a single number; give one entry a sample: ", rows);
  if (extent(numbers, 0) != rows)
    fail(argument, "has ", numbers.shape(0), " rows but X has ", rows, "; give both the same number of samples");
}

// Labels as class indices, each checked before any kernel sees it.
std::vector<std::int32_t> as_indices(const py::array& numbers, Size classes, const Argument& argument) {
  const py::array_t<double> values = as_contiguous<double>(numbers, argument);
  std::vector<std::int32_t> indices(static_cast<Size>(values.size()));
  const bool column = numbers.ndim() == 1 || numbers.size() == numbers.shape(0);
  for (Size i = 0; i < indices.size(); ++i) {
    const double value = values.data()[i];
    if (!(value >= 0 && value < static_cast<double>(classes) && value == std::floor(value)))
      fail(argument, "has the label ", value, " at index ",
           column ? std::to_string(i) : index_text(argument, numbers, i), "; labels must be whole numbers from 0 to ",
           classes - 1, ", one for each of the network's ", classes, " outputs");
    indices[i] = static_cast<std::int32_t>(value);
  }
  return indices;
}

// Rows of class probabilities (one-hot is the usual case) or targets of bce: every value within [0, 1].
template <class T>
void require_probabilities(const py::array_t<T>& values, const Argument& argument) {
  for (Size i = 0; i < static_cast<Size>(values.size()); ++i)
    if (!(values.data()[i] >= 0 && values.data()[i] <= 1))
      fail(argument, "has ", values.data()[i], " at ", index_text(argument, values, i),
           "; probabilities must lie between 0 and 1");
}

template <class T>
void require_unit_sums(const py::array_t<T>& values, Size rows, Size classes, const Argument& argument) {
  for (Size i = 0; i < rows; ++i) {
    double sum = 0;
    for (Size j = 0; j < classes; ++j) sum += static_cast<double>(values.data()[i * classes + j]);
    if (!(std::abs(sum - 1) <= 1e-3))
      fail(argument, "has probabilities that add up to ", sum, " in row ", i,
           "; each row must add up to 1 (one-hot or a distribution), or give class labels of shape (", rows, ",)");
  }
}

// Whether an array has a number for each place of a sample's output: (n, *space) or, for a row of features, (n, 1) too.
bool is_of_places(const py::array& array, const core::Shape& output) {
  const py::ssize_t axes = array.ndim() - 1;
  if (output.axes == 0) return axes == 0 || (axes == 1 && array.shape(1) == 1);
  return axes == static_cast<py::ssize_t>(output.axes) &&
         std::equal(array.shape() + 1, array.shape() + array.ndim(), output.space.begin());
}

bool is_of_outputs(const py::array& array, Size rows, const core::Shape& output) {
  const Extents wanted(rows, output);
  return std::equal(array.shape(), array.shape() + array.ndim(), wanted.span().begin(), wanted.span().end());
}

// Numbers of samples as the network's outputs lie.
template <class T>
py::array_t<T> as_outputs_lie(const py::array_t<T>& numbers, const core::Shape& output) {
  const core::Turn turn = core::Turn::of(output);
  if (!turn) return numbers;
  py::array_t<T> turned(std::vector<py::ssize_t>(numbers.shape(), numbers.shape() + numbers.ndim()));
  train::take_rows<T>(kernels::current_kernels<T>().layout, output, numbers.data(),
                      Matrix<T>(turned.mutable_data(), extent(numbers, 0), output.numbers()));
  return turned;
}

}  // namespace

template <class T>
ops::Targets<T> TargetArrays<T>::view(Size rows, const core::Shape& output) const {
  if (dense.size() == 0) return {indices.data(), {}, output.places()};
  return {nullptr, ConstMatrix<T>(dense.data(), rows, output.numbers()), output.places()};
}

template <class T>
TargetArrays<T> as_targets(const py::handle& object, ops::TargetKind kind, Size rows, const core::Shape& output,
                           const Argument& argument) {
  const py::array numbers = as_numbers(object, argument);
  require_rows(numbers, rows, argument);
  const bool classes = kind == ops::TargetKind::classes, of_places = is_of_places(numbers, output);
  if (classes && of_places) return {as_indices(numbers, output.channels, argument), {}};
  if (!is_of_outputs(numbers, rows, output) && !(output.channels == 1 && of_places))
    fail(argument, "has shape ", shape_text(numbers), " but the network gives ",
         shape_text(Extents(rows, output).span()), "; give ",
         !classes           ? "targets of that shape"
         : output.axes == 0 ? "class labels (n,) or one-hot rows"
                            : "a class label for each place, or numbers of that shape");
  TargetArrays<T> targets{{}, as_contiguous<T>(numbers, argument)};
  require_finite(targets.dense, argument);
  if (kind != ops::TargetKind::values) require_probabilities(targets.dense, argument);
  targets.dense = as_outputs_lie(targets.dense, output);
  if (classes) require_unit_sums(targets.dense, rows * output.places(), output.channels, argument);
  return targets;
}

namespace {

// Only ratios count: divided by the largest first, the sum cannot overflow, and that of equal weights is exact.
template <class T>
py::array_t<T> over_mean(const py::array_t<double>& given, const Argument& argument) {
  const auto count = static_cast<Size>(given.size());
  const double* const from = given.data();
  double largest = 0, sum = 0;
  for (Size i = 0; i < count; ++i) {
    if (from[i] < 0)
      fail(argument, "has ", from[i], " at index ", index_text(argument, given, i), "; weights must not be negative");
    largest = std::max(largest, from[i]);
  }
  if (count > 0 && largest == 0)
    fail(argument, "is zero for all ", given.shape(0), " samples; at least one must count");
  for (Size i = 0; i < count; ++i) sum += from[i] / largest;
  const double mean = sum / static_cast<double>(count);
  py::array_t<T> weights(std::vector<py::ssize_t>(given.shape(), given.shape() + given.ndim()));
  T* const to = weights.mutable_data();
  for (Size i = 0; i < count; ++i) to[i] = static_cast<T>(from[i] / largest / mean);
  return weights;
}

}  // namespace

template <class T>
py::array_t<T> as_sample_weight(const py::handle& object, ops::TargetKind kind, Size rows, const core::Shape& output,
                                const Argument& argument) {
  if (object.is_none()) return {};
  const py::array numbers = as_numbers(object, argument);
  require_rows(numbers, rows, argument);
  const bool by_outputs = ops::is_mean_of_outputs(kind);
  const bool of_outputs = by_outputs && is_of_outputs(numbers, rows, output);
  const bool of_places = output.axes > 0 && is_of_places(numbers, output);
  if (numbers.ndim() != 1 && !of_outputs && !of_places)
    fail(argument, "has shape ", shape_text(numbers), "; give one weight a sample: (", rows, ",)",
         output.axes > 0 ? ", or one a place" : "",
         by_outputs ? core::message(", or one for each output: ", shape_text(Extents(rows, output).span()))
                    : "; the classes of a sample have one loss together");
  const py::array_t<double> given = as_contiguous<double>(numbers, argument);
  require_finite(given, argument);
  const py::array_t<T> weights = over_mean<T>(given, argument);
  return of_outputs ? as_outputs_lie(weights, output) : weights;
}

template struct TargetArrays<float>;
template struct TargetArrays<double>;
template TargetArrays<float> as_targets(const py::handle&, ops::TargetKind, Size, const core::Shape&, const Argument&);
template TargetArrays<double> as_targets(const py::handle&, ops::TargetKind, Size, const core::Shape&, const Argument&);
template py::array_t<float> as_sample_weight(const py::handle&, ops::TargetKind, Size, const core::Shape&,
                                             const Argument&);
template py::array_t<double> as_sample_weight(const py::handle&, ops::TargetKind, Size, const core::Shape&,
                                              const Argument&);

}  // namespace nnext::bindings
