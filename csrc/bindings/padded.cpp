#include "bindings/padded.h"

#include <cmath>
#include <limits>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/instances.h"
#include "bindings/interrupt.h"

namespace nnext::bindings {

std::unique_ptr<Padded> as_padded(const py::object& values, const py::handle& lengths, const char* operation) {
  const Argument argument{operation, "lengths"};
  const py::array numbers = as_numbers(lengths, argument);
  if (numbers.dtype().kind() == 'b')
    fail_type(argument, "has dtype bool; give how many steps each has, as a mask.sum(axis=1) of those that count");
  const auto rows = static_cast<Size>(py::len(values));
  if (numbers.ndim() != 1 || extent(numbers, 0) != rows)
    fail(argument, "has shape ", shape_text(numbers), " but X has ", rows, " rows; give the number of steps of each");
  const py::array_t<double> given = as_contiguous<double>(numbers, argument);
  py::array_t<std::uint32_t> whole(static_cast<py::ssize_t>(rows));
  in_parts(rows, kPart, [&](Size first, Size last) {
    for (Size i = first; i < last; ++i) {
      const double length = given.data()[i];
      if (!(length >= 1 && length <= std::numeric_limits<std::uint32_t>::max() && length == std::floor(length)))
        fail(argument, "has ", length, " at ", i, "; give whole numbers, from 1 to the steps of X");
      whole.mutable_data()[i] = static_cast<std::uint32_t>(length);
    }
  });
  return std::make_unique<Padded>(values, rows, whole);
}

const Padded* find_padded(const py::handle& object) {
  return py::isinstance<Padded>(object) ? object.cast<const Padded*>() : nullptr;
}

void require_lengths(const Padded& padded, Size rows, const core::Shape& shape, const Argument& argument) {
  const Argument of{argument.operation, "lengths"};
  if (padded.rows != rows) fail(of, "are of ", padded.rows, " rows but ", argument.name, " has ", rows);
  if (shape.axes != 1)
    fail(of, "are given but ", argument.name, " has samples of shape ", text(shape),
         "; they are for sequences, (samples, steps, features)");
  for (Size i = 0; i < rows; ++i)
    if (padded.lengths.data()[i] > shape.space[0])
      fail(of, "has ", padded.lengths.data()[i], " at ", i, " but ", argument.name, " has ", shape.space[0],
           " steps; give at most as many");
}

void bind_padded(py::module_& m) {
  class_of_bound<Padded>(m, "Padded")
      .def_property_readonly("values", [](const Padded& padded) { return padded.values; })
      .def_property_readonly("lengths",  // a copy: a fit under way goes by these
                             [](const Padded& padded) { return py::array(padded.lengths.attr("copy")()); })
      .def_property_readonly("shape", [](const Padded& padded) { return py::getattr(padded.values, "shape"); })
      .def("__len__", [](const Padded& padded) { return padded.rows; });
  m.def(
      "padded",
      [](const py::object& values, const py::object& lengths, const std::string& operation) {
        return bound(as_padded(values, lengths, operation.c_str()));
      },
      py::arg("values"), py::arg("lengths"), py::arg("operation"), CallGuard());
}

}  // namespace nnext::bindings
