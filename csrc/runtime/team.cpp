#include "runtime/team.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <exception>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/checks.h"
#include "runtime/threads.h"

namespace nnext::runtime {
namespace {

std::atomic<std::uint64_t> all_barriers{0};
std::atomic<int> members_of_last{1};

void note(const Member& me, int members) {
  if (me.barriers() > 0) all_barriers.fetch_add(me.barriers(), std::memory_order_relaxed);
  // Only what is new is written: many threads may predict alone at once.
  if (members_of_last.load(std::memory_order_relaxed) != members)
    members_of_last.store(members, std::memory_order_relaxed);
}

// The threads beside the calling one. Never destroyed: at exit the process takes them down wherever they are.
class Team {
 public:
  Team() {
    pthread_atfork([] { team().before_fork(); }, [] { team().after_fork_in_parent(); },
                   [] { team().after_fork_in_child(); });
  }
  static Team& team();

  TeamRun run(int members, TeamFunction f, Cancel* cancel, FloatMode mode, bool all_must_come) {
    require_may_wait("a run of the team");
    // No mutex: a signal handler that runs within a call may come here again on the same thread.
    if (!take()) return run_alone(f, cancel, mode);
    const Taken until_the_end(*this);
    members = 1 + start(members - 1);
    if (members == 1) return run_alone(f, cancel, mode);
    Barrier barrier(members, spinning_helps(members));
    const InFloatMode within(mode);
    job_ = {&f, &barrier, members, cancel, mode};
    const std::uint32_t left_before = left_.now();
    const std::span<const std::unique_ptr<Worker>> called(workers_.data(), static_cast<core::Size>(members - 1));
    for (const auto& worker : called) worker->tickets.up();
    Member me(0, members, barrier, cancel);
    f(me);
    std::uint32_t came = 0;
    for (const auto& worker : called)
      if (all_must_come || !worker->take_last()) ++came;
    note(me, 1 + static_cast<int>(came));
    // Until then they may use f and the barrier.
    const Clock::duration late = left_.wait_for(left_before + came, spinning_helps(members), cancel);
    return {members, me.late() + late};
  }

  static TeamRun run_alone(TeamFunction f, Cancel* cancel, FloatMode mode) {
    const InFloatMode within(mode);
    Barrier barrier(1, false);
    Member me(0, 1, barrier, cancel);
    f(me);
    note(me, 1);
    return {};
  }

 private:
  struct Job {
    TeamFunction* f = nullptr;  // null: go home
    Barrier* barrier = nullptr;
    int members = 0;
    Cancel* cancel = nullptr;
    FloatMode mode = FloatMode::plain();
  };
  struct Worker {
    Count tickets;                        // one for every job it is called to
    std::atomic<std::uint32_t> taken{0};  // the last of them that it has come to, or has been too late for
    std::thread thread;

    // False where somebody else has taken it: the worker comes to a job only with its ticket.
    bool take(std::uint32_t ticket) {
      std::uint32_t before = ticket - 1;
      return taken.compare_exchange_strong(before, ticket);
    }
    bool take_last() { return take(tickets.now()); }
  };
  using Workers = std::vector<std::unique_ptr<Worker>>;
  struct Taken {
    explicit Taken(Team& team_) : team(team_) {}
    ~Taken() {
      if (!team.is_mine()) return;  // in a child that has lost this run
      team.job_ = {};
      team.leave();
    }
    Team& team;
  };

  // Whether this thread has it now, which no other had.
  bool take() {
    std::thread::id nobody{};
    return user_.compare_exchange_strong(nobody, std::this_thread::get_id());
  }
  bool is_mine() const { return user_.load() == std::this_thread::get_id(); }
  void leave() { user_.store({}); }

  // With more threads than CPUs, spinning would only keep the awaited thread from running.
  static bool spinning_helps(int members) { return members <= cpus(); }

  // Has at least `count` threads running if the system allows; returns how many there are, at most `count`.
  int start(int count) {
    try {
      while (static_cast<int>(workers_.size()) < count) start_one();
    } catch (const std::exception&) {
      // No memory or no more threads: those that are there do the work, with the same result.
    }
    return std::min(count, static_cast<int>(workers_.size()));
  }

  void start_one() {
    struct SignalsBlocked {  // signals belong to the host's threads
      SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
      }
      ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
      sigset_t before;
    };
    workers_.reserve(workers_.size() + 1);  // nothing may fail once the thread runs
    auto worker = std::make_unique<Worker>();
    const int index = static_cast<int>(workers_.size()) + 1;
    const SignalsBlocked blocked;
    worker->thread = std::thread([this, &w = *worker, index] { work(w, index); });
    workers_.push_back(std::move(worker));
  }

  void work(Worker& worker, int index) {
    for (std::uint32_t ticket = 1;; ++ticket) {
      worker.tickets.wait_for(ticket, spinning_helps(index + 1));
      if (!worker.take(ticket)) continue;
      const Job job = job_;
      if (job.f == nullptr) return;
      const InFloatMode within(job.mode);  // a thread begins in that of whoever has started it
      Member me(index, job.members, *job.barrier, job.cancel);
      (*job.f)(me);
      left_.up();
    }
  }

  void stop() {
    job_ = {};
    for (auto& worker : workers_) worker->tickets.up();
    for (auto& worker : workers_) worker->thread.join();
    workers_.clear();
  }

  // An idle team is stopped and starts again when it is needed. One that is at work goes on in the parent; its threads do
  // not exist in the child, which forgets them (their memory is left: it may be in use). Where it is at work for the very
  // thread that forks, that one ends its run in the child without them.
  void before_fork() {
    if (!take()) return;
    stop();
    stopped_ = true;
  }
  void after_fork_in_parent() {
    if (is_mine() && std::exchange(stopped_, false)) leave();
  }
  void after_fork_in_child() {
    const bool mine = is_mine();
    if (!mine || !std::exchange(stopped_, false)) {
      if (mine && job_.cancel != nullptr) job_.cancel->lose_team();
      job_ = {};
      new (&workers_) Workers;
      new (&left_) Count;
    }
    leave();
  }

  std::atomic<std::thread::id> user_{};  // the thread whose run or fork is in progress, which owns all that follows
  bool stopped_ = false;                 // by that thread's fork
  Workers workers_;
  Job job_;
  Count left_;  // the members that have left a run, over all runs
};

// Made when the library is loaded: no fork can find it half-made by another thread.
Team& the_team = *new Team;
Team& Team::team() { return the_team; }

}  // namespace

Barrier::Barrier(int members, bool spin)
    : members_(members), spin_(spin), arrivals_(members > 1 ? new Count[static_cast<core::Size>(members)] : nullptr) {}

Clock::duration Barrier::arrive_and_wait(int member, Cancel* cancel) {
  Count& mine = arrivals_[static_cast<core::Size>(member)];
  mine.up();
  const std::uint32_t phase = mine.now();
  Clock::duration late{};
  for (int other = 0; other < members_; ++other)
    if (other != member) late += arrivals_[static_cast<core::Size>(other)].wait_for(phase, spin_, cancel);
  return late;
}

TeamRun run_on_team(int members, TeamFunction f, Cancel* cancel, FloatMode mode) {
  if (members <= 1) return Team::run_alone(f, cancel, mode);
  return Team::team().run(members, f, cancel, mode, true);
}

TeamRun run_with_help(int members, TeamFunction f, Cancel* cancel, FloatMode mode) {
  if (members <= 1) return Team::run_alone(f, cancel, mode);
  return Team::team().run(members, f, cancel, mode, false);
}

namespace {

std::atomic<TeamSize> size_of_teams{TeamSize::by_pace};

}  // namespace

std::uint64_t barriers_passed() { return all_barriers.load(std::memory_order_relaxed); }

int last_members() { return members_of_last.load(std::memory_order_relaxed); }

void set_team_size(TeamSize size) { size_of_teams.store(size, std::memory_order_relaxed); }
TeamSize team_size() { return size_of_teams.load(std::memory_order_relaxed); }

int members_for(double flops) {
  if (flops < 2 * kFlopsPerMember) return 1;
  const int threads = team_size() != TeamSize::by_pace ? num_threads() : std::min(num_threads(), cpus());
  return std::max(1, static_cast<int>(std::min<double>(threads, flops / kFlopsPerMember)));
}

}  // namespace nnext::runtime
