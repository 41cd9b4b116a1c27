#include "runtime/team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <chrono>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "runtime/threads.h"

namespace nnext::runtime {
namespace {

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `value` is at least `wanted` (modulo 2^32): spins for 50 us, a few hundred times a barrier's round trip and
// well below a time slice, then sleeps in the kernel. With more threads than CPUs, spinning would only keep the awaited
// thread from running.
void wait_until(const std::atomic<std::uint32_t>& value, std::uint32_t wanted, bool spin) {
  const auto reached = [&](std::uint32_t now) { return static_cast<std::int32_t>(now - wanted) >= 0; };
  if (spin) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
    do {
      for (int i = 0; i < 64; ++i) {
        if (reached(value.load(std::memory_order_acquire))) return;
        relax();
      }
    } while (std::chrono::steady_clock::now() < limit);
  }
  for (std::uint32_t now; !reached(now = value.load(std::memory_order_acquire));) value.wait(now, std::memory_order_acquire);
}

bool spinning_helps(int members) {
  static const int cpus = usable_cpus();
  return members <= cpus;
}

// The threads beside the calling one. Never destroyed: at exit the process takes them down wherever they are.
class Team {
 public:
  static Team& instance() {
    static Team* team = create();
    return *team;
  }

  void run(int members, TeamFunction f) {
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return run_alone(f);
    members = std::min(members, 1 + start(members - 1));
    if (members == 1) return run_alone(f);
    Barrier barrier(members);
    job_ = {&f, &barrier, members};
    const auto helpers = static_cast<std::uint32_t>(members - 1);
    const std::uint32_t all_left = left_.load(std::memory_order_relaxed) + helpers;
    for (std::uint32_t i = 0; i < helpers; ++i) {
      workers_[i]->tickets.fetch_add(1);
      workers_[i]->tickets.notify_one();
    }
    Member me(0, members, barrier);
    f(me);
    wait_until(left_, all_left, spinning_helps(members));  // until then they may use f and the barrier
  }

  static void run_alone(TeamFunction f) {
    Barrier barrier(1);
    Member me(0, 1, barrier);
    f(me);
  }

 private:
  struct Job {
    TeamFunction* f = nullptr;  // null: go home
    Barrier* barrier = nullptr;
    int members = 0;
  };
  struct alignas(64) Worker {
    std::atomic<std::uint32_t> tickets{0};  // one for every job it has a part in
    std::thread thread;
  };

  static Team* create() {
    static Team* team = new Team;
    pthread_atfork([] { team->before_fork(); }, [] { team->after_fork_in_parent(); }, [] { team->after_fork_in_child(); });
    return team;
  }

  // Has at least `count` threads running if the system allows; returns how many there are, at most `count`.
  int start(int count) {
    while (static_cast<int>(workers_.size()) < count) {
      auto worker = std::make_unique<Worker>();
      sigset_t all, before;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before);  // signals belong to the host's threads
      bool started = true;
      try {
        worker->thread = std::thread([this, w = worker.get(), index = static_cast<int>(workers_.size()) + 1] { work(*w, index); });
      } catch (const std::system_error&) {
        started = false;
      }
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      if (!started) break;
      workers_.push_back(std::move(worker));
    }
    return std::min(count, static_cast<int>(workers_.size()));
  }

  void work(Worker& worker, int index) {
    for (std::uint32_t ticket = 1;; ++ticket) {
      wait_until(worker.tickets, ticket, spinning_helps(index + 1));
      const Job job = job_;
      if (job.f == nullptr) return;
      Member me(index, job.members, *job.barrier);
      (*job.f)(me);
      left_.fetch_add(1);
      left_.notify_one();
    }
  }

  void stop() {
    job_ = {};
    for (auto& worker : workers_) {
      worker->tickets.fetch_add(1);
      worker->tickets.notify_one();
    }
    for (auto& worker : workers_) worker->thread.join();
    workers_.clear();
  }

  // An idle team is stopped and starts again when it is needed. One that is at work for another thread of the parent goes
  // on there; its threads do not exist in the child, which forgets them (their memory is left: it may be in use).
  void before_fork() {
    idle_at_fork_ = mutex_.try_lock();
    if (idle_at_fork_) stop();
  }
  void after_fork_in_parent() {
    if (idle_at_fork_) mutex_.unlock();
  }
  void after_fork_in_child() {
    if (idle_at_fork_) return mutex_.unlock();
    new (&workers_) std::vector<std::unique_ptr<Worker>>;
    new (&mutex_) std::mutex;
  }

  std::mutex mutex_;  // held by the run in progress
  std::vector<std::unique_ptr<Worker>> workers_;
  Job job_;
  alignas(64) std::atomic<std::uint32_t> left_{0};  // counts the members that have left a run, over all runs
  bool idle_at_fork_ = false;
};

}  // namespace

Barrier::Barrier(int members) : members_(members), arrivals_(members > 1 ? new Arrivals[static_cast<core::Size>(members)] : nullptr) {}

void Barrier::arrive_and_wait(int member) {
  std::atomic<std::uint32_t>& mine = arrivals_[static_cast<core::Size>(member)].count;
  const std::uint32_t phase = mine.load(std::memory_order_relaxed) + 1;
  mine.store(phase);  // sequentially consistent: notify_all must not look for sleepers before the store is seen
  mine.notify_all();
  for (int other = 0; other < members_; ++other)
    if (other != member) wait_until(arrivals_[static_cast<core::Size>(other)].count, phase, spinning_helps(members_));
}

void run_on_team(int members, TeamFunction f) {
  if (members <= 1) return Team::run_alone(f);
  Team::instance().run(members, f);
}

int members_for(double flops) {
  constexpr double kFlopsPerMember = 1e6;
  return std::max(1, static_cast<int>(std::min<double>(num_threads(), flops / kFlopsPerMember)));
}

}  // namespace nnext::runtime
