// Streams of random numbers as kernels take them.
#pragma once

#include "core/philox.h"
#include "kernels/random_stream.h"

namespace nnext::ops {

inline kernels::RandomStream random_stream(const core::PhiloxStream& stream) {
  return {{stream.key()[0], stream.key()[1]}, stream.number()};
}

}  // namespace nnext::ops
