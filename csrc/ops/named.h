// Rows of a table by their name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/errors.h"

namespace nnext::ops {

// The row whose `name` it is; a name that none has is an error of `operation` that lists them all.
template <class Row>
const Row& find_named(std::span<const Row> rows, const char* operation, std::string_view name) {
  std::string known;
  for (const Row& row : rows) {
    if (name == row.name) return row;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  core::fail_value("[", operation, "] unknown ", operation, " '", name, "'; use one of ", known);
}

}  // namespace nnext::ops
