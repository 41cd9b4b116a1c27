// Sequences of different lengths in one array, each padded at its end: what `padded()` of the core makes of both.
#pragma once

#include <memory>

#include "bindings/argument.h"
#include "core/shape.h"

namespace nnext::bindings {

struct Padded {
  py::object values;  // as it was given: rows of samples
  Size rows;
  py::array_t<std::uint32_t> lengths;  // at least 1
};

// ValueError unless there is a whole number of at least 1 for each row.
std::unique_ptr<Padded> as_padded(const py::object& values, const py::handle& lengths, const char* operation);

// Null for everything else.
const Padded* find_padded(const py::handle& object);

// ValueError for lengths that samples of the shape have no room for.
void require_lengths(const Padded& padded, Size rows, const core::Shape& shape, const Argument& argument);

}  // namespace nnext::bindings
