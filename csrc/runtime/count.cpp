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

// Whoever forked in the midst of a run is alone in the child.
bool lost(const Cancel* cancel) { return cancel != nullptr && cancel->team_lost(); }

// A few hundred times a barrier's round trip, and well below the time slice of another program.
constexpr std::chrono::microseconds kSpin{50};
// On a virtual machine waking a sleeper may take 100 us, so that it is late for the next barrier, where the other one
// falls asleep in turn: a step of 200 us took 450. So the CPU is only offered to others, at every look.
constexpr std::chrono::milliseconds kOffer{2};
// An offer that somebody has taken: they want this CPU more than the next look is worth.
constexpr std::chrono::microseconds kTaken{100};

}  // namespace

Clock::duration Count::wait_for(std::uint32_t wanted, bool spin, Cancel* cancel) {
  if (reached(wanted) || lost(cancel)) return {};
  Clock::time_point begun{};
  if (!spin || !spin_for(wanted, begun)) sleep_for(wanted, cancel);
  if (begun == Clock::time_point{}) return {};
  const Clock::duration waited = Clock::now() - begun;
  return waited < kSpin ? Clock::duration{} : waited;
}

// Most waits end in the first 64 looks, before the clock is read.
bool Count::spin_for(std::uint32_t wanted, Clock::time_point& begun) const {
  for (;;) {
    for (int i = 0; i < 64; ++i) {
      if (reached(wanted)) return true;
      relax();
    }
    const auto now = Clock::now();
    if (begun == Clock::time_point{}) begun = now;
    if (now - begun >= kOffer) return false;
    if (now - begun < kSpin) continue;
    sched_yield();
    if (Clock::now() - now >= kTaken) return reached(wanted);
  }
}

void Count::sleep_for(std::uint32_t wanted, Cancel* cancel) {
  sleepers_.fetch_add(1);
  for (std::uint32_t now; !at_least(now = value_.load(), wanted);) {
    sleep(now, cancel);
    if (lost(cancel)) return;  // the child may have made this anew, without sleepers
  }
  sleepers_.fetch_sub(1);
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
