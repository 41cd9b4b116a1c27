// The order in which an epoch takes the samples.
#pragma once

#include <cstdint>

#include "core/buffer.h"
#include "runtime/cancel.h"

namespace nnext::train {

using core::Size;

inline constexpr Size kMaxSamples = UINT32_MAX;  // their order is kept in 32 bits

using Order = core::Buffer<std::uint32_t>;

// 0 .. n - 1, and a permutation of it (Fisher and Yates), a function of seed and epoch.
// Unfinished when the host asks to stop.
Order plain_order(Size n, runtime::Cancel& cancel);
Order shuffled_order(std::uint64_t seed, std::uint64_t epoch, Size n, runtime::Cancel& cancel);

}  // namespace nnext::train
