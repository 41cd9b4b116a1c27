#include "runtime/cancel.h"

namespace nnext::runtime {
namespace {
std::atomic<Poll> host_poll{nullptr};
}

void set_poll(Poll poll) { host_poll.store(poll); }
Poll current_poll() { return host_poll.load(std::memory_order_relaxed); }

}  // namespace nnext::runtime
