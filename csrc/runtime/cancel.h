// Stopping a long call: the calling thread polls the host (Python's signals) every 20 ms, the others read a flag.
#pragma once

#include <atomic>
#include <chrono>

namespace nnext::runtime {

// Asks the host whether the running call should stop. Set once by the bindings; null means that nobody ever asks.
using Poll = bool (*)();
void set_poll(Poll poll);
Poll current_poll();

class Cancel {
 public:
  // For the calling thread only. Costs one clock reading; calls the host when 20 ms have passed.
  void poll() {
    const auto now = Clock::now();
    if (now < next_) return;
    next_ = now + kInterval;
    if (Poll host = current_poll(); host != nullptr && host()) requested_.store(true, std::memory_order_relaxed);
  }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kInterval{20};
  Clock::time_point next_ = Clock::now() + kInterval;
  std::atomic<bool> requested_{false};
};

}  // namespace nnext::runtime
