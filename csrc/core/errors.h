// Errors of the core: std::invalid_argument is Python's ValueError, other standard exceptions its RuntimeError.
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

template <class... Parts>
[[noreturn]] void fail_value(const Parts&... parts) {
  throw std::invalid_argument(message(parts...));
}

}  // namespace nnext::core
