#include "bindings/targets.h"

#include <algorithm>
#include <cmath>

#include "bindings/arrays.h"

namespace nnext::bindings {
namespace {

void require_rows(const py::array& numbers, Size rows, const Argument& argument) {
  if (numbers.ndim() == 0) fail(argument, "is a single number; give one entry a sample: ", rows);
  if (extent(numbers, 0) != rows)
    fail(argument, "has ", numbers.shape(0), " rows but X has ", rows, "; give both the same number of samples");
}

// Labels as class indices, each checked before any kernel sees it.
std::vector<std::int32_t> as_indices(const py::array& numbers, Size classes, const Argument& argument) {
  const py::array_t<double> values = as_contiguous<double>(numbers, argument);
  std::vector<std::int32_t> indices(static_cast<Size>(values.size()));
  for (Size i = 0; i < indices.size(); ++i) {
    const double value = values.data()[i];
    if (!(value >= 0 && value < static_cast<double>(classes) && value == std::floor(value)))
      fail(argument, "has the label ", value, " at index ", i, "; labels must be whole numbers from 0 to ", classes - 1,
           ", one for each of the network's ", classes, " outputs");
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

}  // namespace

template <class T>
ops::Targets<T> TargetArrays<T>::view(Size rows, Size outputs) const {
  if (dense.size() == 0) return {indices.data(), {}};
  return {nullptr, ConstMatrix<T>(dense.data(), rows, outputs)};
}

template <class T>
TargetArrays<T> as_targets(const py::handle& object, ops::TargetKind kind, Size rows, Size outputs,
                           const Argument& argument) {
  const py::array numbers = as_numbers(object, argument);
  require_rows(numbers, rows, argument);
  const bool column = numbers.ndim() == 1 || (numbers.ndim() == 2 && numbers.shape(1) == 1);
  if (kind == ops::TargetKind::classes && column) return {as_indices(numbers, outputs, argument), {}};
  const bool fits = outputs == 1 ? column : numbers.ndim() == 2 && extent(numbers, 1) == outputs;
  if (!fits)
    fail(argument, "has shape ", shape_text(numbers), " but the network gives (", rows, ", ", outputs, "); give ",
         kind == ops::TargetKind::classes ? "class labels (n,) or one-hot rows" : "targets of that shape");
  TargetArrays<T> targets{{}, as_contiguous<T>(numbers, argument)};
  require_finite(targets.dense, argument);
  if (kind != ops::TargetKind::values) require_probabilities(targets.dense, argument);
  if (kind == ops::TargetKind::classes) require_unit_sums(targets.dense, rows, outputs, argument);
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
py::array_t<T> as_sample_weight(const py::handle& object, ops::TargetKind kind, Size rows, Size outputs,
                                const Argument& argument) {
  if (object.is_none()) return {};
  const py::array numbers = as_numbers(object, argument);
  require_rows(numbers, rows, argument);
  const bool of_outputs = ops::is_mean_of_outputs(kind);
  if (numbers.ndim() != 1 && !(of_outputs && numbers.ndim() == 2 && extent(numbers, 1) == outputs))
    fail(argument, "has shape ", shape_text(numbers), "; give one weight a sample: (", rows, ",)",
         of_outputs ? core::message(", or one for each output: (", rows, ", ", outputs, ")")
                    : "; the classes of a sample have one loss together");
  const py::array_t<double> given = as_contiguous<double>(numbers, argument);
  require_finite(given, argument);
  return over_mean<T>(given, argument);
}

template struct TargetArrays<float>;
template struct TargetArrays<double>;
template TargetArrays<float> as_targets(const py::handle&, ops::TargetKind, Size, Size, const Argument&);
template TargetArrays<double> as_targets(const py::handle&, ops::TargetKind, Size, Size, const Argument&);
template py::array_t<float> as_sample_weight(const py::handle&, ops::TargetKind, Size, Size, const Argument&);
template py::array_t<double> as_sample_weight(const py::handle&, ops::TargetKind, Size, Size, const Argument&);

}  // namespace nnext::bindings
