// Stopping a long call: the calling thread asks the host (Python's signals) every 20 ms, the others read a flag.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

#include "core/size.h"
#include "runtime/float_mode.h"

namespace nnext::runtime {

using Clock = std::chrono::steady_clock;

// Asks the host whether the running call should stop. Set once by the bindings; null means that nobody ever asks.
using Poll = bool (*)();
void set_poll(Poll poll);

// A call should ask at least every 60 ms or so, to end within 0.1 s. Made by the calling thread while the host's
// floating-point mode is in place, as it is again whenever the host is asked.
class Cancel {
 public:
  // Whether the host has not been asked for 20 ms. Costs one clock reading.
  bool due(Clock::time_point now = Clock::now()) const { return now >= next_; }
  // For the calling thread only: asks the host if that is due. The host may run anything meanwhile, such as a signal
  // handler that predicts with the same network. Returns requested().
  bool poll() {
    if (!requested() && due()) {
      if (ask()) requested_.store(true, std::memory_order_relaxed);
      next_ = Clock::now() + kInterval;
    }
    return requested();
  }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

  // For the calling thread only: what it asked has forked, this is the child, and the team that was at work for this
  // call does not exist here. Nothing comes of the call, and nobody may wait for the others.
  bool team_lost() const { return team_lost_; }
  void lose_team() { team_lost_ = true; }

  static constexpr std::chrono::milliseconds kInterval{20};

 private:
  bool ask() const;  // and whether to stop

  const FloatMode host_mode_ = FloatMode::of_thread();
  Clock::time_point next_ = Clock::now() + kInterval;
  std::atomic<bool> requested_{false};
  bool team_lost_ = false;
};

// Calls f(first, last) for parts of `count` things, one after the other, until the host asks to stop. Without a `cancel`
// nobody is asked.
template <class F>
void for_parts(core::Size count, core::Size part, Cancel* cancel, F f) {
  for (core::Size first = 0; first < count && (cancel == nullptr || !cancel->poll()); first += part)
    f(first, std::min(first + part, count));
}

}  // namespace nnext::runtime
