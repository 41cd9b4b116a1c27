// Memory that will be read next. A product asks for it bit by bit between its tiles: all at once would take the buffers
// for lines on their way that the product itself needs.
#pragma once

#include <cstddef>

namespace nnext::kernels {

struct Prefetch {
  const void* const* rows = nullptr;
  std::size_t count = 0, bytes = 0;  // of each row
};

// In a function that does nothing but ask for memory: GCC 12 takes it for one without effects, whose calls it leaves out.
inline void keep_prefetches() { asm volatile(""); }

}  // namespace nnext::kernels
