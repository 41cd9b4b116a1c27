#include "runtime/count.h"

#include <linux/futex.h>
#include <sched.h>
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
  const auto lost = [cancel] { return cancel != nullptr && cancel->team_lost(); };
  if (reached(wanted) || lost() || (spin && spin_for(wanted))) return;
  sleepers_.fetch_add(1);
  for (std::uint32_t now; !at_least(now = value_.load(), wanted);) {
    sleep(now, cancel);
    if (lost()) return;  // the child may have made this anew, without sleepers
  }
  sleepers_.fetch_sub(1);
}

// 50 us are a few hundred times a barrier's round trip and well below a time slice. Then the CPU is offered to others
// at every look, for 2 ms: on a virtual machine waking a sleeper may take 100 us, so that it is late for the next
// barrier, where the other one falls asleep in turn; a step of 200 us took 450.
bool Count::spin_for(std::uint32_t wanted) const {
  using Clock = std::chrono::steady_clock;
  for (Clock::time_point begun{};;) {
    for (int i = 0; i < 64; ++i) {  // most waits end here, before the clock is read
      if (reached(wanted)) return true;
      relax();
    }
    const auto now = Clock::now();
    if (begun == Clock::time_point{}) begun = now;
    if (now - begun >= std::chrono::milliseconds(2)) return false;
    if (now - begun >= std::chrono::microseconds(50)) sched_yield();
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
