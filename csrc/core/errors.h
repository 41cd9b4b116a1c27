// Errors of the core. ValueError in Python is std::invalid_argument here, TypeError is core::TypeError.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace nnext::core {

// Builds a message from its parts: message("x has ", n, " features").
template <class... Parts>
std::string message(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// A value of the wrong kind (Python: TypeError).
struct TypeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Two uses of one model that exclude each other (Python: RuntimeError).
struct BusyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class... Parts>
[[noreturn]] void fail_value(const Parts&... parts) {
  throw std::invalid_argument(message(parts...));
}

}  // namespace nnext::core
