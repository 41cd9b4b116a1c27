#include "train/shuffle.h"

#include <numeric>
#include <utility>

#include "core/philox.h"

namespace nnext::train {

std::vector<std::uint32_t> shuffled_order(std::uint64_t seed, std::uint64_t epoch, Size n, runtime::Cancel& cancel) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  const core::PhiloxStream stream(seed, core::Purpose::shuffle, 0, epoch);
  core::PhiloxBlock words{};
  for (Size i = n; i-- > 1;) {
    if (i % (1 << 20) == 0 && cancel.poll()) break;  // about 10 ms
    if (i % 4 == 3 || i == n - 1) words = stream.block(i / 4);
    std::swap(order[i], order[std::uint64_t{words[i % 4]} * (i + 1) >> 32]);
  }
  return order;
}

}  // namespace nnext::train
