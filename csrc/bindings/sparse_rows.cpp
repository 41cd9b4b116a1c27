#include "bindings/sparse_rows.h"

#include <pybind11/stl.h>

#include <numeric>

#include "bindings/arrays.h"
#include "bindings/direct.h"
#include "bindings/interrupt.h"
#include "bindings/rows_checks.h"
#include "data/csr_rows.h"

namespace nnext::bindings {
namespace {

constexpr const char* kAnew = "; build the matrix anew, for example with scipy.sparse.coo_array";
constexpr Size kLook = 1024;  // rows between two looks at signals and other threads

bool is_csr(const py::handle& object) {
  for (const char* name : {"indptr", "indices", "data", "shape"})
    if (!py::hasattr(object, name)) return false;
  const py::object format = py::getattr(object, "format", py::none());
  return py::isinstance<py::str>(format) && format.equal(py::str("csr"));
}

py::array as_vector(const py::object& csr, const char* name, const Argument& argument) {
  const py::array numbers = as_numbers(csr.attr(name), argument);
  if (numbers.ndim() != 1) fail(argument, "has ", name, " of shape ", shape_text(numbers), kAnew);
  return numbers;
}

py::array as_integers(const py::object& csr, const char* name, const Argument& argument) {
  const py::array numbers = as_vector(csr, name, argument);
  if (numbers.dtype().kind() != 'i' && numbers.dtype().kind() != 'u')
    fail_type(argument, "has ", name, " of dtype ", py::str(numbers.dtype()).cast<std::string>(), kAnew);
  return numbers;
}

// A CSR matrix, and which of its rows are looked at.
template <class Index, class Value>
struct Entries {
  py::array_t<Index> starts, columns;
  py::array_t<Value> values;
  Size cols;
  ChosenRows chosen;

  data::Csr<Index, Value> view() const { return {starts.data() + chosen.first, columns.data(), values.data()}; }

  // Calls f(row, begin, end) with the entries of each of the rows.
  template <class F>
  void for_rows(F f) const {
    const Index* start = view().starts;
    for (Size i = 0; i < chosen.count; ++i) {
      if (i % kLook == 0) give_way();
      const Size row = chosen.positions == nullptr ? i : chosen.positions[i];
      f(i, static_cast<Size>(start[row]), static_cast<Size>(start[row + 1]));
    }
  }
};

Size given_row(const Argument& argument, Size row) {
  return argument.rows.data() == nullptr ? row : argument.rows[row];
}

template <class Index, class Value>
void require_starts(const Entries<Index, Value>& entries, Size rows, const Argument& argument) {
  const auto count = static_cast<Size>(std::min(entries.columns.size(), entries.values.size()));
  if (static_cast<Size>(entries.starts.size()) != rows + 1)
    fail(argument, "has ", entries.starts.size(), " numbers in indptr but ", rows, " rows, which take ", rows + 1,
         kAnew);
  Index before = 0;
  for (Size i = 0; i <= rows; ++i) {
    const Index start = entries.starts.data()[i];
    if (start < before || static_cast<Size>(start) > count)
      fail(argument, "has ", start, " at ", i, " in indptr, which must rise from 0 to at most ", count,
           ", the length of indices and data", kAnew);
    before = start;
  }
}

// Whether a column occurs twice in a row. ValueError for one that is not there.
template <class Index, class Value>
bool has_duplicates(const Entries<Index, Value>& entries, const Argument& argument) {
  const Index* columns = entries.columns.data();
  std::vector<Size> seen_in;  // the row, plus 1; for rows that are not sorted
  bool found = false;
  entries.for_rows([&](Size row, Size begin, Size end) {
    bool sorted = true;
    for (Size at = begin; at < end; ++at) {
      if (columns[at] < 0 || static_cast<Size>(columns[at]) >= entries.cols)
        fail(argument, "has the column ", columns[at], " in row ", given_row(argument, row), " but ", entries.cols,
             " columns", kAnew);
      sorted &= at == begin || columns[at - 1] < columns[at];
    }
    if (sorted) return;
    seen_in.resize(entries.cols);
    for (Size at = begin; at < end; ++at) {
      Size& seen = seen_in[static_cast<Size>(columns[at])];
      found |= seen == row + 1;
      seen = row + 1;
    }
  });
  return found;
}

// The same rows, and no others, with the entries of a column added up.
template <class Index, class Value>
Entries<Index, Value> added_up(const Entries<Index, Value>& entries) {
  std::vector<Index> starts{0}, columns;
  std::vector<Value> values;
  std::vector<Size> place(entries.cols);  // in `columns`, plus 1; of an earlier row where it is not beyond `first`
  entries.for_rows([&](Size, Size begin, Size end) {
    const Size first = columns.size();
    for (Size at = begin; at < end; ++at) {
      const Index column = entries.columns.data()[at];
      Size& mine = place[static_cast<Size>(column)];
      if (mine > first) {
        values[mine - 1] += entries.values.data()[at];
        continue;
      }
      columns.push_back(column), values.push_back(entries.values.data()[at]);
      mine = columns.size();
    }
    starts.push_back(static_cast<Index>(columns.size()));
  });
  const auto array = [](const auto& numbers) {
    return py::array(static_cast<py::ssize_t>(numbers.size()), numbers.data());
  };
  Entries<Index, Value> added = entries;
  added.starts = array(starts), added.columns = array(columns), added.values = array(values);
  added.chosen = {0, entries.chosen.count, nullptr};
  return added;
}

template <class T, class Index, class Value>
void require_values(const Entries<Index, Value>& entries, T scale, bool finite, const Argument& argument) {
  NotFinite<T> not_finite(scale, finite, argument);
  entries.for_rows([&](Size row, Size begin, Size end) {
    for (Size at = begin; at < end; ++at) {
      const Value value = entries.values.data()[at];
      if (std::isfinite(static_cast<T>(value) * scale)) continue;
      not_finite.add(static_cast<double>(value), [&] {
        return core::message("(", given_row(argument, row), ", ", entries.columns.data()[at], ")");
      });
    }
  });
  not_finite.tell();
}

template <class T, class Index, class Value>
Rows<T> checked(Entries<Index, Value> entries, Size rows, bool finite, T scale, const Argument& argument) {
  require_starts(entries, rows, argument);
  if (has_duplicates(entries, argument)) entries = added_up(entries);
  require_values(entries, scale, finite, argument);
  const ChosenRows& chosen = entries.chosen;
  Rows<T> read;
  read.keep = py::make_tuple(entries.starts, entries.columns, entries.values);
  read.sparse = std::make_unique<data::CsrRows<T, Index, Value>>(chosen.count, entries.cols, entries.view(), scale,
                                                                 chosen.positions);
  return read;
}

// Calls f with a number of the type that columns and starts have: that of both, or 64 bits.
template <class F>
auto with_index(const py::array& starts, const py::array& columns, F f) {
  const bool narrow = holds<std::int32_t>(starts) && holds<std::int32_t>(columns);
  return narrow ? f(std::int32_t{}) : f(std::int64_t{});
}

// The same for values: float32 or float64 as they lie, T for others.
template <class T, class F>
auto with_value(const py::array& values, F f) {
  if (holds<float>(values)) return f(float{});
  if (holds<double>(values)) return f(double{});
  return f(T{});
}

}  // namespace

py::object as_csr(const py::handle& object) {
  if (Py_TYPE(object.ptr()) == py::detail::npy_api::get().PyArray_Type_) return py::none();  // by far the most
  if (py::isinstance<py::array>(object) || PyList_Check(object.ptr()) || PyTuple_Check(object.ptr())) return py::none();
  if (is_csr(object)) return py::reinterpret_borrow<py::object>(object);
  if (!py::hasattr(object, "tocsr")) return py::none();
  const py::object csr = object.attr("tocsr")();
  return is_csr(csr) ? csr : py::none();
}

template <class T>
Rows<T> as_sparse_rows(const py::object& csr, const RowsWanted<T>& wanted, T scale, const Argument& argument) {
  const auto shape = csr.attr("shape").cast<std::vector<py::ssize_t>>();
  const Seen seen = see(shape, wanted, argument);
  const py::array starts = as_integers(csr, "indptr", argument), columns = as_integers(csr, "indices", argument);
  const py::array values = as_vector(csr, "data", argument);
  return with_index(starts, columns, [&]<class Index>(Index) {
    return with_value<T>(values, [&]<class Value>(Value) {
      using Integers = py::array_t<Index, py::array::c_style | py::array::forcecast>;
      return checked<T>(
          Entries<Index, Value>{Integers(starts), Integers(columns), as_contiguous<Value>(values, argument),
                                seen.shape.numbers(), choose_rows(argument, seen.rows)},
          seen.rows, wanted.finite, scale, argument);
    });
  });
}

template Rows<float> as_sparse_rows(const py::object&, const RowsWanted<float>&, float, const Argument&);
template Rows<double> as_sparse_rows(const py::object&, const RowsWanted<double>&, double, const Argument&);

}  // namespace nnext::bindings
