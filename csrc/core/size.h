// Sizes that cannot overflow in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace nnext::core {

using Size = std::size_t;
using Stride = std::ptrdiff_t;  // in elements, may be zero or negative

// The product of two sizes; more than half the address space counts as out of memory before anything is allocated.
inline Size checked_product(Size a, Size b) {
  Size product = 0;
  if (__builtin_mul_overflow(a, b, &product) || product > SIZE_MAX / 2) throw std::bad_array_new_length();
  return product;
}

inline Size round_up(Size value, Size multiple) { return (value + multiple - 1) / multiple * multiple; }
inline Size divide_up(Size value, Size by) { return (value + by - 1) / by; }

}  // namespace nnext::core
