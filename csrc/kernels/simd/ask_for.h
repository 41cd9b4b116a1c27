// A share of the memory that will be read next.
#pragma once

#include "kernels/prefetch.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// That of [first, last) of `all` parts of the work, into L2.
inline void ask_for(const Prefetch& prefetch, std::size_t first, std::size_t last, std::size_t all) {
  if (prefetch.count == 0) return;
  const std::size_t begin = prefetch.bytes * first / all, end = prefetch.bytes * last / all;
  for (std::size_t row = 0; row < prefetch.count; ++row)
    for (std::size_t byte = begin; byte < end; byte += 64)
      __builtin_prefetch(static_cast<const char*>(prefetch.rows[row]) + byte, 0, 2);
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
