// Samples as they come in: checked, and read where they lie if that is possible.
#pragma once

#include <memory>
#include <optional>

#include "bindings/argument.h"
#include "data/dense_rows.h"
#include "nn/section.h"

namespace nnext::bindings {

// What the network reads is T(x) * scale. float32, float64 and uint8 whose rows lie side by side, with any distance
// between them, stay where they are, and so do sparse rows; everything else is converted to T once.
template <class T>
struct Rows {
  py::object keep;          // what is read: an array of the shape that was given, or the arrays of a sparse matrix
  bool one_sample = false;  // not rows of such, but that alone
  py::array_t<std::uint32_t> lengths{};       // of sequences that have ends of their own
  std::optional<data::DenseRows<T>> dense{};  // within, as an allocation shows in the smallest prediction
  std::unique_ptr<const data::Source<T>> sparse{};

  const data::Source<T>& source() const { return sparse ? *sparse : *dense; }
};

template <class T>
struct RowsWanted {
  const nn::Section<T>* section = nullptr;  // whose input they are; null: rows of
  const core::Shape* shape = nullptr;       // that shape or, where they are not, of features
  bool one_sample = false;                  // without the axis of samples, too
  bool finite = true;                       // NaN and infinity are refused
  Size max_rows = SIZE_MAX;
  py::handle scale{};  // null: 1
};

// Of Argument::rows, where it names some: these alone are looked at. They must outlive the result.
template <class T>
Rows<T> as_rows(const py::handle& object, const RowsWanted<T>& wanted, const Argument& argument);

// Rows that the core has, as people write them.
template <class T>
py::array_t<T> copy_of(core::ConstMatrix<T> from, const core::Shape& shape);

}  // namespace nnext::bindings
