#include "train/shuffle.h"

#include <utility>

#include "core/philox.h"

namespace nnext::train {
namespace {

constexpr Size kLook = Size{1} << 20;  // samples between two looks at the host: about 10 ms

}  // namespace

// A Buffer's pages are first touched here, which for very many samples takes longer than the numbers.
Order plain_order(Size n, runtime::Cancel& cancel) {
  Order order(n);
  for (Size i = 0; i < n; ++i) {
    if (i % kLook == 0 && cancel.poll()) break;
    order[i] = static_cast<std::uint32_t>(i);
  }
  return order;
}

Order shuffled_order(std::uint64_t seed, std::uint64_t epoch, Size n, runtime::Cancel& cancel) {
  Order order = plain_order(n, cancel);
  if (cancel.requested()) return order;  // its other pages have not been touched yet
  const core::PhiloxStream stream(seed, core::Purpose::shuffle, 0, epoch);
  core::PhiloxBlock words{};
  for (Size i = n; i-- > 1;) {
    if (i % kLook == 0 && cancel.poll()) break;
    if (i % 4 == 3 || i == n - 1) words = stream.block(i / 4);
    std::swap(order[i], order[std::uint64_t{words[i % 4]} * (i + 1) >> 32]);
  }
  return order;
}

}  // namespace nnext::train
