// The order in which an epoch takes the samples.
#pragma once

#include <cstdint>
#include <vector>

#include "core/size.h"
#include "runtime/cancel.h"

namespace nnext::train {

using core::Size;

inline constexpr Size kMaxSamples = UINT32_MAX;  // their order is kept in 32 bits

// A permutation of 0 .. n - 1 (Fisher and Yates), a function of seed and epoch; unfinished when the host asks to stop.
std::vector<std::uint32_t> shuffled_order(std::uint64_t seed, std::uint64_t epoch, Size n, runtime::Cancel& cancel);

}  // namespace nnext::train
