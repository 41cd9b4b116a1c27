#include "bindings/arrays.h"

#include <cmath>

#include "kernels/dispatch.h"

namespace nnext::bindings {
namespace {

bool is_masked_array(const py::handle& object) {
  // numpy.ma is imported only if somebody else did: otherwise no masked array can exist.
  const py::dict modules = py::module_::import("sys").attr("modules");
  return modules.contains("numpy.ma") && py::isinstance(object, modules["numpy.ma"].attr("MaskedArray"));
}

// The array's own numbers, without a copy if it is T already.
template <class T>
py::array_t<T> cast(const py::array& numbers) {
  PyObject* own = py::detail::npy_api::get().PyArray_FromAny_(numbers.ptr(), py::dtype::of<T>().release().ptr(), 0, 0,
                                                              py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ |
                                                                  py::detail::npy_api::NPY_ARRAY_ALIGNED_ |
                                                                  py::detail::npy_api::NPY_ARRAY_FORCECAST_,
                                                              nullptr);
  if (own == nullptr) throw py::error_already_set();  // MemoryError
  return py::reinterpret_steal<py::array_t<T>>(own);
}

// float64 to float32, refusing what would become infinite.
py::array_t<float> narrow(const py::array& numbers, const Argument& argument) {
  const py::array_t<double> wide = cast<double>(numbers);
  py::array_t<float> result(std::vector<py::ssize_t>(wide.shape(), wide.shape() + wide.ndim()));
  const double* from = wide.data();
  float* to = result.mutable_data();
  for (Size i = 0; i < static_cast<Size>(wide.size()); ++i) {
    to[i] = static_cast<float>(from[i]);
    if (std::isinf(to[i]) && std::isfinite(from[i])) fail_too_large(argument, from[i], index_text(numbers, i));
  }
  return result;
}

}  // namespace

std::string shape_text(const py::array& array) {
  std::string text;
  for (py::ssize_t d = 0; d < array.ndim(); ++d) text += (d > 0 ? ", " : "") + std::to_string(array.shape(d));
  return "(" + text + (array.ndim() == 1 ? ",)" : ")");
}

std::string index_text(const py::array& array, Size flat) {
  std::string text;
  for (py::ssize_t d = array.ndim(); d-- > 0;) {
    const auto extent = static_cast<Size>(array.shape(d));
    text = std::to_string(flat % extent) + (text.empty() ? "" : ", ") + text;
    flat /= extent;
  }
  return array.ndim() == 1 ? text : "(" + text + ")";
}

py::array as_numbers(const py::handle& object, const Argument& argument) {
  const bool plain = Py_TYPE(object.ptr()) == py::detail::npy_api::get().PyArray_Type_;  // by far the most: not masked
  if (!plain && py::isinstance<py::array>(object) && is_masked_array(object) &&
      py::module_::import("numpy.ma").attr("is_masked")(object).cast<bool>())
    fail_type(argument, "has masked values; fill them first, for example with ", argument.name, ".filled(0)");
  py::array array = py::isinstance<py::array>(object) ? py::reinterpret_borrow<py::array>(object)
                                                      : py::array(py::module_::import("numpy").attr("asarray")(object));
  const py::dtype dtype = array.dtype();
  const char kind = dtype.kind();
  const bool number = kind == 'b' || kind == 'i' || kind == 'u' || (kind == 'f' && dtype.itemsize() <= 8);
  if (!number)
    fail_type(argument, "has dtype ", py::str(dtype).cast<std::string>(), "; give real numbers, for example with ",
              argument.name, ".astype(\"float64\")");
  return array;
}

template <class T>
py::array_t<T> as_contiguous(const py::array& numbers, const Argument& argument) {
  if constexpr (sizeof(T) < sizeof(double))
    if (numbers.dtype().kind() == 'f' && numbers.dtype().itemsize() == sizeof(double)) return narrow(numbers, argument);
  return cast<T>(numbers);
}

template <class T>
void require_finite(const py::array_t<T>& array, const Argument& argument) {
  const auto n = static_cast<Size>(array.size());
  const Size count = kernels::current_kernels<T>().reduce.count_nonfinite(n, array.data());
  if (count == 0) return;
  Size first = 0;
  while (std::isfinite(array.data()[first])) ++first;
  fail_nonfinite(argument, count, array.data()[first], index_text(array, first));
}

template <class T>
StridedMatrix<T> as_strided_matrix(const py::array& numbers, const Argument& argument) {
  if (numbers.ndim() != 2) fail(argument, "has shape ", shape_text(numbers), "; give two dimensions");
  constexpr auto size = static_cast<py::ssize_t>(sizeof(T));
  const bool as_it_lies = py::isinstance<py::array_t<T>>(numbers) && numbers.strides(0) % size == 0 &&
                          numbers.strides(1) % size == 0 &&
                          reinterpret_cast<std::uintptr_t>(numbers.data()) % alignof(T) == 0;
  const py::array keep = as_it_lies ? numbers : py::array(as_contiguous<T>(numbers, argument));
  const ConstMatrix<T> view(static_cast<const T*>(keep.data()), extent(keep, 0), extent(keep, 1),
                            keep.strides(0) / size, keep.strides(1) / size);
  return {keep, view};
}

namespace {

void require_rows(const py::array& numbers, Size rows, const Argument& argument) {
  if (numbers.ndim() == 0) fail(argument, "is a single number; give one entry a sample: ", rows);
  if (extent(numbers, 0) != rows)
    fail(argument, "has ", numbers.shape(0), " rows but X has ", rows, "; give both the same number of samples");
}

// Labels as class indices, each checked before any kernel sees it.
std::vector<std::int32_t> as_indices(const py::array& numbers, Size classes, const Argument& argument) {
  const py::array_t<double> values = cast<double>(numbers);
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
      fail(argument, "has ", values.data()[i], " at ", index_text(values, i),
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
      fail(argument, "has ", from[i], " at index ", index_text(given, i), "; weights must not be negative");
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

bool may_overlap(const py::array& a, const py::array& b) {
  const auto bytes = [](const py::array& array) {
    auto low = reinterpret_cast<std::intptr_t>(array.data()), high = low + array.itemsize();
    for (py::ssize_t d = 0; d < array.ndim(); ++d)
      (array.strides(d) < 0 ? low : high) += array.strides(d) * std::max<py::ssize_t>(array.shape(d) - 1, 0);
    return std::pair(low, high);
  };
  const auto [a_low, a_high] = bytes(a);
  const auto [b_low, b_high] = bytes(b);
  return a_low < b_high && b_low < a_high;
}

template <class T>
py::array_t<T> as_output(const py::object& out, Size rows, Size cols, const Argument& argument) {
  const char* dtype = kTypeName<T>;
  if (out.is_none()) return py::array_t<T>({rows, cols});
  if (!py::isinstance<py::array_t<T>>(out))
    fail_type(argument, "must be an ndarray of ", dtype, "; make it with numpy.empty((", rows, ", ", cols, "), \"",
              dtype, "\")");
  auto array = py::reinterpret_borrow<py::array_t<T>>(out);
  const bool fits = array.ndim() == 2 && extent(array, 0) == rows && extent(array, 1) == cols;
  if (!fits)
    fail(argument, "has shape ", shape_text(array), " but the result is (", rows, ", ", cols, "); give that shape");
  if (!array.writeable() || !(array.flags() & py::array::c_style) ||
      reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) != 0)
    fail(argument, "must be writeable, C-contiguous and aligned; make it with numpy.empty((", rows, ", ", cols, "), \"",
         dtype, "\")");
  return array;
}

template py::array_t<float> as_contiguous(const py::array&, const Argument&);
template py::array_t<double> as_contiguous(const py::array&, const Argument&);
template void require_finite(const py::array_t<float>&, const Argument&);
template void require_finite(const py::array_t<double>&, const Argument&);
template StridedMatrix<float> as_strided_matrix(const py::array&, const Argument&);
template StridedMatrix<double> as_strided_matrix(const py::array&, const Argument&);
template struct TargetArrays<float>;
template struct TargetArrays<double>;
template TargetArrays<float> as_targets(const py::handle&, ops::TargetKind, Size, Size, const Argument&);
template TargetArrays<double> as_targets(const py::handle&, ops::TargetKind, Size, Size, const Argument&);
template py::array_t<float> as_sample_weight(const py::handle&, ops::TargetKind, Size, Size, const Argument&);
template py::array_t<double> as_sample_weight(const py::handle&, ops::TargetKind, Size, Size, const Argument&);
template py::array_t<float> as_output(const py::object&, Size, Size, const Argument&);
template py::array_t<double> as_output(const py::object&, Size, Size, const Argument&);

}  // namespace nnext::bindings
