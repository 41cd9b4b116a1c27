// Who asks for an array, and how one that cannot be taken is refused: [operation] name ...
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <string>

#include "core/errors.h"
#include "core/size.h"

namespace nnext::bindings {

namespace py = pybind11;
using core::Size;

template <class T>
inline constexpr const char* kTypeName = sizeof(T) == 4 ? "float32" : "float64";

// What to do with text, which may be a name of something.
inline constexpr const char* kEncode = "encode text, for example with sklearn.preprocessing.OneHotEncoder";
inline constexpr const char* kLabel = "give class labels, for example numpy.unique(y, return_inverse=True)[1]";

struct Argument {
  const char* operation;
  const char* name;
  const char* cure_of_text = "give real numbers";
  std::span<const std::uint32_t> rows{};  // where some rows of what was given are looked at: which; data null: all
};

template <class... Parts>
[[noreturn]] void fail(const Argument& argument, const Parts&... parts) {
  throw py::value_error(core::message("[", argument.operation, "] ", argument.name, " ", parts...));
}

template <class... Parts>
[[noreturn]] void fail_type(const Argument& argument, const Parts&... parts) {
  throw py::type_error(core::message("[", argument.operation, "] ", argument.name, " ", parts...));
}

// The values that are no numbers, of which the first is told.
template <class T>
[[noreturn]] void fail_nonfinite(const Argument& argument, Size count, T first, const std::string& index) {
  fail(argument, "has ", count, count == 1 ? " value that is" : " values that are", " NaN or infinite, the first ",
       first, " at ", index, "; remove or replace ", count == 1 ? "it" : "them");
}

// The value that is finite in float64 only.
[[noreturn]] inline void fail_too_large(const Argument& argument, double value, const std::string& index) {
  fail(argument, "has ", value, " at ", index,
       ", which is infinite in float32; scale the data, or use dtype=\"float64\"");
}

inline Size extent(const py::array& array, py::ssize_t dimension) { return static_cast<Size>(array.shape(dimension)); }

// An array of things that are not numbers, told from an object: says what works for it.
[[noreturn]] void refuse_kind(const py::handle& object, const py::array& array, const Argument& argument);

// "(3, 4)"
std::string shape_text(std::span<const py::ssize_t> extents);
inline std::string shape_text(const py::array& array) {
  return shape_text({array.shape(), static_cast<Size>(array.ndim())});
}
// "(2, 3)" for the element at a flat index; "2" for one dimension. Rows are counted as they were given.
std::string index_text(const Argument& argument, const py::array& array, Size flat);

}  // namespace nnext::bindings
