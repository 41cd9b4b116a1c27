// What core::PhiloxStream is to kernels.
#pragma once

#include <cstdint>

namespace nnext::kernels {

struct RandomStream {
  std::uint32_t key[2];
  std::uint64_t number;  // the upper half of all its counters
};

}  // namespace nnext::kernels
