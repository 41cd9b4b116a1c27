#include "runtime/count.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <ctime>

namespace nnext::runtime {
namespace {

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void Count::wait_for(std::uint32_t wanted, bool spin, Cancel* cancel) {
  if (reached(wanted) || (spin && spin_for(wanted))) return;
  sleepers_.fetch_add(1);
  for (std::uint32_t now; !at_least(now = value_.load(), wanted);) sleep(now, cancel);
  sleepers_.fetch_sub(1);
}

// 50 us are a few hundred times a barrier's round trip and well below a time slice.
bool Count::spin_for(std::uint32_t wanted) const {
  using Clock = std::chrono::steady_clock;
  for (Clock::time_point limit{};;) {
    for (int i = 0; i < 64; ++i) {  // most waits end here, before the clock is read
      if (reached(wanted)) return true;
      relax();
    }
    const auto now = Clock::now();
    if (limit == Clock::time_point{}) limit = now + std::chrono::microseconds(50);
    if (now >= limit) return false;
  }
}

// The kernel looks at the value again before it lets the thread sleep. Every return, also a spurious one, is followed
// by another look, so the reason does not matter.
void Count::sleep(std::uint32_t while_it_is, Cancel* cancel) {
  constexpr std::timespec kInterval{0, std::chrono::nanoseconds(Cancel::kInterval).count()};
  syscall(SYS_futex, &value_, FUTEX_WAIT_PRIVATE, while_it_is, cancel == nullptr ? nullptr : &kInterval);
  if (cancel != nullptr) cancel->poll();
}

void Count::wake() { syscall(SYS_futex, &value_, FUTEX_WAKE_PRIVATE, INT_MAX); }

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free, "futex");

}  // namespace nnext::runtime
