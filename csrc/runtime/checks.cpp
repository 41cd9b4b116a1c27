#include "runtime/checks.h"

#ifdef NNEXT_CHECKS

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace nnext::runtime {
namespace {

std::atomic<MayWait> host_may_wait{nullptr};
thread_local int closed_gates = 0;

void require(bool holds, const char* where, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "nnext: %s %s\n", where, what);
  std::abort();
}

}  // namespace

void set_may_wait(MayWait may_wait) { host_may_wait.store(may_wait); }

void require_may_wait(const char* where) {
  const MayWait may_wait = host_may_wait.load(std::memory_order_relaxed);
  require(may_wait == nullptr || may_wait(), where, "may wait for another thread, but this one holds the host's lock");
}

void require_open_gates(const char* where) {
  require(closed_gates == 0, where, "lets the host run, but this thread holds a gate closed");
}

void count_closed_gates(int change) { closed_gates += change; }

}  // namespace nnext::runtime

#endif
