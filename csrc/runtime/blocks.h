// Work that members take instead of having it assigned: whoever comes late, or loses its CPU, has done less.
#pragma once

#include <algorithm>
#include <atomic>

#include "runtime/team.h"

namespace nnext::runtime {

// [0, n) in blocks, at first as large as may be and ever smaller towards the end, so that all members end at about the
// same time: half of a fair share of what is left, but at least `least` and at most `most`, in multiples of `grain`.
class Blocks {
 public:
  struct Sizes {
    core::Size least = 1, most = 1, grain = 1;
  };
  Blocks(core::Size n, int members, const Sizes& sizes)
      : n_(n), takers_(members > 1 ? 2 * static_cast<core::Size>(members) : 1), sizes_(sizes) {}

  // Calls f(block) for those that this member takes, until none is left or it should stop.
  template <class F>
  void each(const Member& me, F f) {
    for (Range block = take(); block.size() > 0 && !me.stop(); block = take()) f(block);
  }

 private:
  Range take() {
    core::Size begin = next_.load(std::memory_order_relaxed), size = 0;
    do {
      if (begin == n_) return {n_, n_};
      size = std::min(n_ - begin, size_at(begin));
    } while (!next_.compare_exchange_weak(begin, begin + size, std::memory_order_relaxed));
    return {begin, begin + size};
  }
  core::Size size_at(core::Size begin) const {
    const core::Size fair = std::clamp((n_ - begin) / takers_, sizes_.least, sizes_.most);
    return std::min(core::round_up(fair, sizes_.grain),
                    std::max(sizes_.grain, sizes_.most / sizes_.grain * sizes_.grain));
  }

  const core::Size n_, takers_;
  const Sizes sizes_;
  alignas(core::kCacheLine) std::atomic<core::Size> next_{0};
};

}  // namespace nnext::runtime
