// A share of the memory that will be read next.
#pragma once

#include <cstdint>

#include "kernels/prefetch.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// That of [first, last) of `all` parts of the work, into L2. Rows begin and end within lines.
inline void ask_for(const Prefetch& prefetch, std::size_t first, std::size_t last, std::size_t all) {
  if (prefetch.count == 0) return;
  keep_prefetches();
  constexpr std::size_t kLine = 64;
  const std::size_t lines = prefetch.bytes / kLine + 1;  // at least, and one more where a row begins late in its first
  const std::size_t begin = lines * first / all, end = lines * last / all;
  for (std::size_t i = 0; i < prefetch.count; ++i) {
    const auto* const row = static_cast<const char*>(prefetch.rows[i]);
    const char* const from = row - reinterpret_cast<std::uintptr_t>(row) % kLine;
    for (std::size_t line = begin; line < end; ++line) __builtin_prefetch(from + line * kLine, 0, 2);
  }
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
