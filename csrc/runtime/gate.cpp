#include "runtime/gate.h"

#include <pthread.h>

#include <new>
#include <stdexcept>

#include "core/errors.h"
#include "runtime/checks.h"

namespace nnext::runtime {

// ---- readers and the writer ---------------------------------------------------------------------------------------

bool Gate::enter_at_once() {
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  while ((state & kWriter) == 0)
    if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire, std::memory_order_relaxed))
      return true;
  return false;
}

void Gate::enter_as_reader(bool before_waiting_writer) {
  if (enter_at_once()) return;
  std::unique_lock lock(mutex_);
  if ((before_waiting_writer || waiting_writer_ == std::this_thread::get_id()) && !writer_inside_) {
    state_.fetch_add(1);
    return;
  }
  if (enter_at_once()) return;  // the writer has left meanwhile
  waiting_.fetch_add(1);
  const std::uint64_t turn = turn_;
  changed_.wait(lock, [&] { return turn_ != turn; });  // the writer counts this reader as inside when it leaves
}

void Gate::leave_as_reader() {
  if (state_.fetch_sub(1, std::memory_order_release) != kWriter + 1) return;
  const std::lock_guard lock(
      mutex_);  // the last reader before a waiting writer, which looks at state_ with this lock held
  changed_.notify_all();
}

bool Gate::enter_as_writer(Cancel* cancel) {
  if (cancel != nullptr && cancel->requested()) return false;
  std::unique_lock lock(mutex_);
  state_.fetch_or(kWriter);
  waiting_writer_ = std::this_thread::get_id();
  bool stop = false;
  while (!stop && !changed_.wait_for(lock, Cancel::kInterval, [&] { return state_.load() == kWriter; })) {
    lock.unlock();
    stop = cancel != nullptr && cancel->poll();
    lock.lock();
    state_.fetch_or(kWriter);  // again: where the host has forked meanwhile, the child's gate is open to everybody
  }
  waiting_writer_ = {};
  writer_inside_ = !stop;
  if (stop) let_readers_in();
  return writer_inside_;
}

void Gate::leave_as_writer() {
  const std::lock_guard lock(mutex_);
  writer_inside_ = false;
  let_readers_in();
}

// Opens the gate to everybody and counts those that wait as inside. With the mutex held.
void Gate::let_readers_in() {
  const std::uint32_t waiting = waiting_.exchange(0);
  std::uint32_t state = state_.load();
  while (!state_.compare_exchange_weak(state, (state & ~kWriter) + waiting)) {
  }
  if (waiting == 0) return;
  ++turn_;
  changed_.notify_all();
}

Gate::Reader*& Gate::Reader::innermost() {
  thread_local Reader* reader = nullptr;
  return reader;
}

Gate::Reader::Reader(Gate& gate) : gate_(gate) {
  require_may_wait("a reader of a gate");
  gate_.enter_as_reader(gate_.read_by_this_thread());
  begin();
}

Gate::Reader::Reader(Gate& gate, std::try_to_lock_t) : gate_(gate), inside_(gate.enter_at_once()) {
  if (inside_) begin();
}

void Gate::Reader::begin() {
  outer_ = innermost();
  innermost() = this;
}

Gate::Reader::~Reader() {
  if (!inside_) return;
  innermost() = outer_;
  gate_.leave_as_reader();
}

bool Gate::read_by_this_thread() const {
  for (const Reader* reader = Reader::innermost(); reader != nullptr; reader = reader->outer_)
    if (&reader->gate_ == this) return true;
  return false;
}

Gate::Writer::Writer(Gate& gate, Cancel* cancel) : gate_(gate) {
  if (gate_.read_by_this_thread())
    throw std::runtime_error(
        "[model] a signal handler cannot change a model in the middle of a prediction with it; set a flag and change "
        "it later");
  require_may_wait("a writer of a gate");
  inside_ = gate_.enter_as_writer(cancel);
  if (inside_) count_closed_gates(1);
}

Gate::Writer::~Writer() {
  if (!inside_) return;
  count_closed_gates(-1);
  gate_.leave_as_writer();
}

// ---- the right to train -------------------------------------------------------------------------------------------

namespace {

[[noreturn]] void fail_busy(const char* operation) {
  throw std::runtime_error(
      core::message("[", operation,
                    "] this model is being trained already; wait until that ends, or train a second model: slices of "
                    "one network train in turn"));
}

}  // namespace

Gate::Training::Training(Gate& gate, const char* operation) : gate_(gate) {
  if (!gate_.begin_training()) fail_busy(operation);
}

void Gate::begin_fit(std::uint64_t id) {
  std::uint64_t none = 0;
  if (!fit_.compare_exchange_strong(none, id)) fail_busy("fit");
}

bool Gate::end_fit(std::uint64_t id) { return fit_.compare_exchange_strong(id, 0); }

// ---- forks --------------------------------------------------------------------------------------------------------

// All gates of the process. The forking thread holds the list and, as a reader, every gate, which it may wait for with
// the host's lock held: runtime/checks.h says why that ends.
struct Gate::Forks {
  std::mutex mutex;
  Gate* first = nullptr;

  static Forks& all;  // made when the library is loaded: no fork can find it half-made by another thread
  Forks() {
    pthread_atfork([] { all.before(); }, [] { all.after_in_parent(); }, [] { all.after_in_child(); });
  }

  template <class F>
  void for_each(F f) {
    for (Gate* gate = first; gate != nullptr; gate = gate->next_) f(*gate);
  }
  void before() {
    mutex.lock();
    for_each([](Gate& gate) { gate.enter_as_reader(true); });
  }
  void after_in_parent() {
    for_each([](Gate& gate) { gate.leave_as_reader(); });
    mutex.unlock();
  }
  void after_in_child() {
    for_each([](Gate& gate) { gate.forget_other_threads(); });
    mutex.unlock();
  }
};

Gate::Forks& Gate::Forks::all = *new Forks;  // never destroyed: networks may live until the very end

// Only this thread exists. Locks may be in any state that other threads had them in.
void Gate::forget_other_threads() {
  std::uint32_t readers = 0;
  for (const Reader* reader = Reader::innermost(); reader != nullptr; reader = reader->outer_)
    readers += &reader->gate_ == this ? 1 : 0;
  state_.store(readers);
  waiting_.store(0);
  new (&mutex_) std::mutex;
  new (&changed_) std::condition_variable;
  writer_inside_ = false;
  fit_.store(0);
  const std::thread::id trainer = trainer_.load();
  if (trainer == std::thread::id() || trainer == std::this_thread::get_id()) return;
  trainer_.store({});
  abandoned_.store(true);
}

Gate::NoFork::NoFork() {
  require_may_wait("a change of the list of networks");
  Forks::all.mutex.lock();
}
Gate::NoFork::~NoFork() { Forks::all.mutex.unlock(); }

Gate::Gate() {
  Forks& forks = Forks::all;
  const NoFork lock;
  next_ = forks.first;
  if (next_ != nullptr) next_->previous_ = this;
  forks.first = this;
}

Gate::~Gate() {
  Forks& forks = Forks::all;
  const NoFork lock;
  (previous_ != nullptr ? previous_->next_ : forks.first) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

}  // namespace nnext::runtime
