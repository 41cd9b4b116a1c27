// A count that goes up and that other threads wait for: what the team's barriers and tickets are made of.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/buffer.h"
#include "runtime/cancel.h"

namespace nnext::runtime {

class alignas(core::kCacheLine) Count {
 public:
  std::uint32_t now() const { return value_.load(std::memory_order_relaxed); }

  // Costs no system call unless somebody sleeps. std::atomic::notify_all() would make one also for sleepers on other
  // counts: libstdc++ tells addresses apart by a few low bits, the same for all that have a cache line of their own.
  void up() {
    value_.fetch_add(1);  // both sequentially consistent: a waiter that is not counted yet sees the new value
    if (sleepers_.load() != 0) wake();
  }

  // Waits until the count is at least `wanted` (modulo 2^32): spins for up to 2 ms if `spin`, then sleeps, polling
  // `cancel` if there is one. It does not return earlier when that is requested, but where the team is lost. Returns how
  // long that took where it took long.
  Clock::duration wait_for(std::uint32_t wanted, bool spin, Cancel* cancel = nullptr);

 private:
  bool reached(std::uint32_t wanted) const { return at_least(value_.load(std::memory_order_acquire), wanted); }
  static bool at_least(std::uint32_t value, std::uint32_t wanted) {
    return static_cast<std::int32_t>(value - wanted) >= 0;
  }
  bool spin_for(std::uint32_t wanted, Clock::time_point& begun) const;
  void sleep_for(std::uint32_t wanted, Cancel* cancel);
  void sleep(std::uint32_t while_it_is, Cancel* cancel);
  void wake();

  std::atomic<std::uint32_t> value_{0}, sleepers_{0};
};

}  // namespace nnext::runtime
