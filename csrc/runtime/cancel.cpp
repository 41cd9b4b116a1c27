#include "runtime/cancel.h"

#include "runtime/checks.h"

namespace nnext::runtime {
namespace {
std::atomic<Poll> host_poll{nullptr};
}

void set_poll(Poll poll) { host_poll.store(poll); }

bool Cancel::ask() const {
  require_open_gates("a poll");
  const InFloatMode hosts(host_mode_);
  const Poll host = host_poll.load(std::memory_order_relaxed);
  return (host != nullptr && host()) || team_lost_;
}

}  // namespace nnext::runtime
