#include "bindings/targets.h"

#include <algorithm>
#include <cmath>

#include "bindings/arrays.h"
#include "bindings/interrupt.h"
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

// Calls f(i) for `count` things of so many numbers.
template <class F>
void for_each(Size count, Size numbers, F f) {
  in_parts(count, std::max<Size>(kPart / numbers, 1), [&](Size first, Size last) {
    for (Size i = first; i < last; ++i) f(i);
  });
}
template <class F>
void for_each(Size count, F f) {
  for_each(count, 1, f);
}

// Labels as class indices, each checked before any kernel sees it.
std::vector<std::int32_t> as_indices(const py::array& numbers, Size classes, const Argument& argument) {
  const py::array_t<double> values = as_contiguous<double>(numbers, argument);
  std::vector<std::int32_t> indices(static_cast<Size>(values.size()));
  const bool column = numbers.ndim() == 1 || numbers.size() == numbers.shape(0);
  for_each(indices.size(), [&](Size i) {
    const double value = values.data()[i];
    if (!(value >= 0 && value < static_cast<double>(classes) && value == std::floor(value)))
      fail(argument, "has the label ", value, " at index ",
           column ? std::to_string(i) : index_text(argument, numbers, i), "; labels must be whole numbers from 0 to ",
           classes - 1, ", one for each of the network's ", classes, " outputs");
    indices[i] = static_cast<std::int32_t>(value);
  });
  return indices;
}

// fits(value) for every value; `cure` says what would.
template <class T, class Fits>
void require_each(const py::array_t<T>& values, const Argument& argument, const char* cure, Fits fits) {
  for_each(static_cast<Size>(values.size()), [&](Size i) {
    if (!fits(values.data()[i]))
      fail(argument, "has ", values.data()[i], " at ", index_text(argument, values, i), "; ", cure);
  });
}

// Finite numbers as the loss takes them.
template <class T>
void require_values(const py::array_t<T>& values, ops::TargetKind kind, const Argument& argument) {
  const auto require = [&](const char* cure, auto fits) { require_each(values, argument, cure, fits); };
  switch (kind) {
    case ops::TargetKind::values:
      return;
    case ops::TargetKind::counts:
      return require("targets of this loss must be 0 or more", [](T t) { return t >= 0; });
    case ops::TargetKind::positive:
      return require("targets of this loss must be greater than 0", [](T t) { return t > 0; });
    case ops::TargetKind::signs: {
      const T low =
          std::find(values.data(), values.data() + values.size(), T(-1)) != values.data() + values.size() ? -1 : 0;
      return require(low < 0 ? "labels must be -1 or 1" : "labels must be -1 or 1, or 0 or 1",
                     [low](T t) { return t == low || t == 1; });
    }
    case ops::TargetKind::probabilities:
    case ops::TargetKind::distributions:
    case ops::TargetKind::classes:
      return require("probabilities must lie between 0 and 1", [](T t) { return t >= 0 && t <= 1; });
  }
}

template <class T>
void require_unit_sums(const py::array_t<T>& values, Size rows, Size classes, const Argument& argument) {
  for_each(rows, classes, [&](Size i) {
    double sum = 0;
    for (Size j = 0; j < classes; ++j) sum += static_cast<double>(values.data()[i * classes + j]);
    if (!(std::abs(sum - 1) <= 1e-3))
      fail(argument, "has probabilities that add up to ", sum, " in row ", i,
           "; each row must add up to 1 (one-hot or a distribution), or give class labels of shape (", rows, ",)");
  });
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
  const Size cols = output.numbers();
  in_parts(extent(numbers, 0), std::max<Size>(kPart / cols, 1), [&](Size first, Size last) {
    train::take_rows<T>(kernels::current_kernels<T>().layout, output, numbers.data() + first * cols,
                        Matrix<T>(turned.mutable_data() + first * cols, last - first, cols));
  });
  return turned;
}

}  // namespace

template <class T>
ops::Targets<T> TargetArrays<T>::view(Size rows, const core::Shape& output) const {
  if (dense.size() == 0) return {indices.data(), {}, output.places(), output.channels};
  return {nullptr, ConstMatrix<T>(dense.data(), rows, output.numbers()), output.places(), output.channels};
}

template <class T>
TargetArrays<T> as_targets(const py::handle& object, const ops::Loss<T>& loss, Size rows, const core::Shape& output,
                           const Argument& argument) {
  if (!loss.has_weights_for(output.channels))
    fail({argument.operation, loss.kind->weights}, "has ", loss.weights.size(), " numbers but the network has ",
         output.channels, " outputs; give a number for each");
  const ops::TargetKind kind = loss.kind->targets;
  const py::array numbers = as_numbers(object, argument);
  require_rows(numbers, rows, argument);
  const bool classes = kind == ops::TargetKind::classes, of_places = is_of_places(numbers, output);
  TargetArrays<T> targets;
  if (classes && of_places) {
    targets.indices = as_indices(numbers, output.channels, argument);
    return targets;
  }
  if (!is_of_outputs(numbers, rows, output) && !(output.channels == 1 && of_places))
    fail(argument, "has shape ", shape_text(numbers), " but the network gives ",
         shape_text(Extents(rows, output).span()), "; give ",
         kind == ops::TargetKind::distributions
             ? "rows of probabilities of that shape, or for class labels use cross_entropy"
         : !classes         ? "targets of that shape"
         : output.axes == 0 ? "class labels (n,) or one-hot rows"
                            : "a class label for each place, or numbers of that shape");
  targets.dense = as_contiguous<T>(numbers, argument);
  require_finite(targets.dense, argument);
  require_values(targets.dense, kind, argument);
  targets.dense = as_outputs_lie(targets.dense, output);
  if (!ops::is_mean_of_outputs(kind))
    require_unit_sums(targets.dense, rows * output.places(), output.channels, argument);
  return targets;
}

namespace {

// How much each place counts by the weights of the classes: a label by its own, a row of probabilities by their mean.
template <class T>
std::vector<double> class_weights(const ops::Loss<T>& loss, const ops::Targets<T>& targets, Size rows) {
  std::vector<double> all(rows * targets.places);
  for_each(all.size(), targets.channels, [&](Size i) {
    if (targets.indices != nullptr) {
      all[i] = static_cast<double>(loss.weights[static_cast<Size>(targets.indices[i])]);
      return;
    }
    const T* t = targets.dense.data + i * targets.channels;
    for (Size j = 0; j < targets.channels; ++j)
      all[i] += static_cast<double>(t[j]) * static_cast<double>(loss.weights[j]);
  });
  return all;
}

double largest_of(const py::array_t<double>& given, const Argument& argument) {
  double largest = 0;
  for_each(static_cast<Size>(given.size()), [&](Size i) {
    const double weight = given.data()[i];
    if (weight < 0)
      fail(argument, "has ", weight, " at index ", index_text(argument, given, i), "; weights must not be negative");
    largest = std::max(largest, weight);
  });
  if (given.size() > 0 && largest == 0)
    fail(argument, "is zero for all ", given.shape(0), " samples; at least one must count");
  return largest;
}

// Whether terms of the loss count, of `terms` of all rows: all but those of steps after an end.
class Counting {
 public:
  Counting(std::span<const Size> ends, const core::Shape& output, Size rows, Size terms)
      : ends_(ends), places_(output.places()), each_(terms / rows) {
    if (each_ > places_ && !output.channels_first) channels_ = each_ / places_;
  }
  bool operator()(Size i) const { return ends_.empty() || i % each_ / channels_ % places_ < ends_[i / each_]; }

 private:
  std::span<const Size> ends_;
  Size places_, each_, channels_ = 1;
};

// Only ratios count: divided by the largest first, the sum cannot overflow, and that of equal weights is exact.
// `by_class` has as many numbers as `given`, or several for each, or none, which are all 1. The mean is that over the
// terms that count: a weight of a row is one of each of its places where rows have `ends` of their own.
template <class T>
SampleWeights<T> over_mean(const py::array_t<double>& given, const std::vector<double>& by_class,
                           std::span<const Size> ends, const core::Shape& output, const Argument& argument) {
  const double* const from = given.data();
  const double largest = largest_of(given, argument);
  const auto count = static_cast<Size>(given.size());
  const Size of_places = ends.size() * output.places(), classes = by_class.size();  // 0 where there are no such
  const Size terms = std::max({count, of_places, classes}), each = count == 0 ? 1 : terms / count;
  const Size each_class = classes == 0 ? 1 : terms / classes;
  const Counting counts(ends, output, std::max<Size>(count == 0 ? 1 : extent(given, 0), 1), std::max<Size>(terms, 1));
  double sum = 0;
  Size counted = 0;
  for_each(terms, [&](Size i) {
    if (!counts(i)) return;
    ++counted;
    sum += from[i / each] / largest * (classes == 0 ? 1 : by_class[i / each_class]);
  });
  const double mean = sum / static_cast<double>(counted);
  if (count > 0 && mean == 0)
    fail({argument.operation, "class_weight"}, "of the loss is zero for the classes of all samples that count");
  py::array_t<T> weights(std::vector<py::ssize_t>(given.shape(), given.shape() + given.ndim()));
  T* const to = weights.mutable_data();
  for_each(count, [&](Size i) { to[i] = static_cast<T>(from[i] / largest / mean); });
  return {weights, largest * mean};
}

}  // namespace

template <class T>
SampleWeights<T> as_sample_weight(const py::handle& object, const ops::Loss<T>& loss, const ops::Targets<T>& targets,
                                  Size rows, const core::Shape& output, std::span<const Size> ends,
                                  const Argument& argument) {
  const std::vector<double> by_class =
      loss.weighs_classes() ? class_weights(loss, targets, rows) : std::vector<double>();
  if (object.is_none() && by_class.empty()) return {};
  if (object.is_none()) {
    py::array_t<double> same(static_cast<py::ssize_t>(rows));
    std::fill_n(same.mutable_data(), rows, 1.0);
    return over_mean<T>(same, by_class, ends, output, argument);
  }
  const py::array numbers = as_numbers(object, argument);
  require_rows(numbers, rows, argument);
  const bool by_outputs = ops::is_mean_of_outputs(loss.kind->targets);
  const bool of_outputs = by_outputs && is_of_outputs(numbers, rows, output);
  const bool of_places = output.axes > 0 && is_of_places(numbers, output);
  if (numbers.ndim() != 1 && !of_outputs && !of_places)
    fail(argument, "has shape ", shape_text(numbers), "; give one weight a sample: (", rows, ",)",
         output.axes > 0 ? ", or one a place" : "",
         by_outputs ? core::message(", or one for each output: ", shape_text(Extents(rows, output).span()))
                    : "; the classes of a sample have one loss together");
  const py::array_t<double> given = as_contiguous<double>(numbers, argument);
  require_finite(given, argument);
  SampleWeights<T> weights = over_mean<T>(given, by_class, ends, output, argument);
  if (of_outputs) weights.over_mean = as_outputs_lie(weights.over_mean, output);
  return weights;
}

template struct TargetArrays<float>;
template struct TargetArrays<double>;
template TargetArrays<float> as_targets(const py::handle&, const ops::Loss<float>&, Size, const core::Shape&,
                                        const Argument&);
template TargetArrays<double> as_targets(const py::handle&, const ops::Loss<double>&, Size, const core::Shape&,
                                         const Argument&);
template SampleWeights<float> as_sample_weight(const py::handle&, const ops::Loss<float>&, const ops::Targets<float>&,
                                               Size, const core::Shape&, std::span<const Size>, const Argument&);
template SampleWeights<double> as_sample_weight(const py::handle&, const ops::Loss<double>&,
                                                const ops::Targets<double>&, Size, const core::Shape&,
                                                std::span<const Size>, const Argument&);

}  // namespace nnext::bindings
