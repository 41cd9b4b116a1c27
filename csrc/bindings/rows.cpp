#include "bindings/rows.h"

#include <cmath>
#include <limits>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/direct.h"
#include "bindings/interrupt.h"
#include "bindings/padded.h"
#include "bindings/rows_checks.h"
#include "bindings/sparse_rows.h"
#include "core/buffer.h"
#include "kernels/dispatch.h"
#include "train/output_rows.h"

namespace nnext::bindings {

using core::ConstMatrix;
using core::Matrix;
using data::Source;
using kernels::NumberType;

namespace {

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
  if (holds<float>(numbers)) return NumberType::float32;
  if (holds<double>(numbers)) return NumberType::float64;
  if (holds<std::uint8_t>(numbers)) return NumberType::uint8;
  return {};
}

// An array whose rows can be read, and which of them are.
struct Dense {
  py::array keep;
  data::Stored stored;
  core::Shape shape;
  ChosenRows chosen;

  // `lengths` of all rows that lie there; null: none.
  template <class T>
  data::DenseRows<T> as(T scale, const std::uint32_t* lengths) const {
    return {kernels::current_kernels<T>(), chosen.count, shape, stored, scale, chosen.positions, lengths};
  }
};

// The rows that are looked at, converted to T.
template <class T>
py::array_t<T> convert_chosen(const py::array& numbers, const ChosenRows& chosen, const Argument& argument) {
  if (argument.rows.data() == nullptr) return as_contiguous<T>(numbers, argument);
  const auto first = static_cast<py::ssize_t>(chosen.first), count = static_cast<py::ssize_t>(chosen.count);
  if (chosen.positions == nullptr) return as_contiguous<T>(numbers[py::slice(first, first + count, 1)], argument);
  std::vector<py::ssize_t> shape(numbers.shape(), numbers.shape() + numbers.ndim());
  shape[0] = count;
  py::array_t<T> result(shape);
  const Size cols = static_cast<Size>(numbers.size()) / extent(numbers, 0), rows = std::max<Size>(kPart / cols, 1);
  for (Size done = 0, some; done < chosen.count; done += some) {
    if (done > 0) give_way();
    some = std::min(rows, chosen.count - done);
    Argument part = argument;
    part.rows = argument.rows.subspan(done, some);
    const py::array_t<std::uint32_t> positions(static_cast<py::ssize_t>(some), chosen.positions + done);
    const py::array_t<T> converted = as_contiguous<T>(numbers.attr("take")(positions, 0), part);
    std::copy_n(converted.data(), some * cols, result.mutable_data() + done * cols);
  }
  return result;
}

// As it lies if that can be read; else the rows that are looked at, converted to T.
template <class T>
Dense lay(const py::array& numbers, const Seen& seen, const Argument& argument) {
  const ChosenRows chosen = choose_rows(argument, seen.rows);
  if (const std::optional<NumberType> type = readable_type(numbers, seen.one_sample)) {
    const auto* data = static_cast<const char*>(numbers.data());
    const py::ssize_t stride = numbers.strides(0);
    return {numbers, {*type, data + static_cast<py::ssize_t>(chosen.first) * stride, stride}, seen.shape, chosen};
  }
  const py::array converted = convert_chosen<T>(numbers, chosen, argument);
  return {converted,
          {data::kNumberType<T>, converted.data(), converted.strides(0)},
          seen.shape,
          {0, chosen.count, nullptr}};
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
bool all_finite(const Source<T>& x, Size distinct_rows) {
  constexpr Size kBlock = 4096;
  const Size rows = std::max<Size>(kBlock / x.cols, 1);
  core::Buffer<T> room(x.in_place() ? 0 : std::min(rows, distinct_rows) * x.cols);
  bool finite = true;
  in_parts(distinct_rows, std::max(rows, kPart / x.cols), [&](Size begin, Size end) {
    for (Size first = begin; first < end && finite; first += rows) {
      const Size count = std::min(rows, end - first);
      const ConstMatrix<T> block = x.view_or_read(first, Matrix<T>(room.data(), count, x.cols));
      finite = kernels::current_kernels<T>().reduce.count_nonfinite(count * x.cols, block.data) == 0;
    }
  });
  return finite;
}

// Throws for the first number that is not finite to the network.
template <class T>
void refuse_values(const Dense& dense, T scale, bool finite, const Argument& argument) {
  const data::DenseRows<double> exact(kernels::current_kernels<double>(), dense.chosen.count, dense.shape.numbers(),
                                      dense.stored, 1, dense.chosen.positions);  // in the order in which they lie
  core::Buffer<double> values(exact.cols);
  NotFinite<T> not_finite(scale, finite, argument);
  in_parts(exact.rows, std::max<Size>(kPart / exact.cols, 1), [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      exact.read(i, {values.data(), 1, exact.cols});
      for (Size j = 0; j < exact.cols; ++j)
        not_finite.add(values[j], [&] { return index_text(argument, dense.keep, i * exact.cols + j); });
    }
  });
  not_finite.tell();
}

// Looks at the values only where some of the type could be infinite or NaN to the network.
template <class T>
void check_values(const Source<T>& x, const Dense& dense, T scale, bool finite, const Argument& argument) {
  const bool may_overflow = std::isinf(static_cast<T>(largest(dense.stored.type)) * scale);
  const bool may_be_nonfinite = finite && dense.stored.type != NumberType::uint8;
  if (!may_overflow && !may_be_nonfinite) return;
  // A view with a stride of 0 may have more rows than there is time for.
  const Size distinct_rows = dense.stored.row_bytes == 0 ? std::min<Size>(x.rows, 1) : x.rows;
  if (!all_finite(x, distinct_rows)) refuse_values(dense, scale, finite, argument);
}

// Throws for the first number that is none of the categories that the network takes.
template <class T>
void check_categories(const Source<T>& x, const Dense& dense, Size categories, bool finite, const Argument& argument) {
  core::Buffer<T> room(x.cols);
  in_parts(x.rows, std::max<Size>(kPart / x.cols, 1), [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      const T* const row = x.view_or_read(i, {room.data(), 1, x.cols}).data;
      for (Size j = 0; j < x.cols; ++j) {
        const T value = row[j];
        if (value >= 0 && value < static_cast<T>(categories) && value == std::floor(value)) continue;
        if (finite || !std::isnan(value))
          fail(argument, "has ", value, " at ", index_text(argument, dense.keep, i * x.cols + j),
               " but the network takes whole numbers from 0 to ", categories - 1,
               "; change X, or num_embeddings of the Embedding");
      }
    }
  });
}

// The lengths of the rows that lie there, as `lay` has left them.
template <class T>
py::array_t<std::uint32_t> lengths_of(const Padded& padded, Size rows, const Dense& dense, const RowsWanted<T>& wanted,
                                      const Argument& argument) {
  require_lengths(padded, rows, dense.shape, argument);
  const ChosenRows chosen = choose_rows(argument, rows);
  py::array_t<std::uint32_t> lengths = padded.lengths;
  if (dense.chosen.positions == nullptr && argument.rows.data() != nullptr) {
    lengths = py::array_t<std::uint32_t>(static_cast<py::ssize_t>(chosen.count));
    for (Size i = 0; i < chosen.count; ++i)
      lengths.mutable_data()[i] =
          padded.lengths.data()[chosen.positions == nullptr ? chosen.first + i : chosen.positions[i]];
  }
  if (wanted.section != nullptr)
    wanted.section->require_lengths(dense.shape, {lengths.data(), static_cast<Size>(lengths.size())});
  return lengths;
}

// As T reads them; sparse ones have no lengths.
template <class T>
Rows<T> as_dense_rows(const py::handle& object, const Padded* padded, const RowsWanted<T>& wanted,
                      const Argument& argument) {
  const T scale = wanted.scale ? as_scale<T>(wanted.scale, argument.operation) : T(1);
  if (const py::object csr = as_csr(object); !csr.is_none()) {
    if (padded != nullptr)
      fail_type(argument, "is a sparse matrix, which has no sequences with lengths; give an array");
    return as_sparse_rows<T>(csr, wanted, scale, argument);
  }
  const py::array numbers = as_numbers(object, argument);
  const Seen seen = see({numbers.shape(), static_cast<Size>(numbers.ndim())}, wanted, argument);
  Dense dense = lay<T>(numbers, seen, argument);
  py::array_t<std::uint32_t> lengths;
  if (padded != nullptr) lengths = lengths_of(*padded, seen.rows, dense, wanted, argument);
  const data::DenseRows<T> rows = dense.as<T>(scale, padded == nullptr ? nullptr : lengths.data());
  check_values(rows, dense, scale, wanted.finite, argument);
  if (wanted.section != nullptr && wanted.section->intake() && wanted.section->intake()->categories > 0)
    check_categories(rows, dense, wanted.section->intake()->categories, wanted.finite, argument);
  return {.keep = std::move(dense.keep), .one_sample = seen.one_sample, .lengths = std::move(lengths), .dense = rows};
}

}  // namespace

template <class T>
Rows<T> as_rows(const py::handle& object, const RowsWanted<T>& wanted, const Argument& argument) {
  if (const Padded* padded = py::isinstance<py::array>(object) ? nullptr : find_padded(object))
    return as_dense_rows<T>(padded->values, padded, wanted, argument);
  return as_dense_rows<T>(object, nullptr, wanted, argument);
}

template <class T>
py::array_t<T> copy_of(ConstMatrix<T> from, const core::Shape& shape) {
  py::array_t<T> result = new_array<T>(Extents(from.rows, shape));
  train::put_rows<T>(kernels::current_kernels<T>().layout, shape, from,
                     Matrix<T>(result.mutable_data(), from.rows, from.cols));
  return result;
}

template py::array_t<float> copy_of(ConstMatrix<float>, const core::Shape&);
template py::array_t<double> copy_of(ConstMatrix<double>, const core::Shape&);
template Rows<float> as_rows(const py::handle&, const RowsWanted<float>&, const Argument&);
template Rows<double> as_rows(const py::handle&, const RowsWanted<double>&, const Argument&);

}  // namespace nnext::bindings
