// Samples as they come in: checked, and read where they lie if that is possible.
#pragma once

#include "bindings/argument.h"
#include "nn/network.h"
#include "train/input_rows.h"

namespace nnext::bindings {

// What the network reads is T(x) * scale. float32, float64 and uint8 whose rows lie side by side, with any distance
// between them, stay where they are; everything else is converted to T once.
template <class T>
struct Rows {
  py::array keep;  // of the shape that was given
  train::InputRows<T> view;
  bool one_sample;  // not rows of such, but that alone
};

template <class T>
struct RowsWanted {
  const nn::Network<T>* network = nullptr;  // whose input they are; null: rows of
  core::Shape shape{};                      // that shape or, where they are not, of features
  bool one_sample = false;                  // without the axis of samples, too
  bool finite = true;                       // NaN and infinity are refused
  Size max_rows = SIZE_MAX;
  py::handle scale{};  // null: 1
};
template <class T>
Rows<T> as_rows(const py::handle& object, const RowsWanted<T>& wanted, const Argument& argument);

}  // namespace nnext::bindings
