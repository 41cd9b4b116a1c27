// The thread team: a call runs one function on every member, each works on its own share, and barriers part the phases.
//
// There is one team in a process. Its threads start with the first call that wants them, sleep when idle,
// never touch Python, and are stopped before a fork. A run may get fewer members than it asked for, down to
// the calling thread alone where another thread uses the team or the system gives no more threads: results
// must not depend on their number.
//
// The calling thread may fork within a run, in what it polls. The child has this thread alone, and nobody does the
// others' shares: Cancel says that the team is lost, every wait ends, and the run is given up.
#pragma once

#include <algorithm>
#include <memory>

#include "core/size.h"
#include "runtime/costs.h"
#include "runtime/count.h"

namespace nnext::runtime {

// [begin, end)
struct Range {
  core::Size begin = 0, end = 0;
  core::Size size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

// Lets the members of one run wait for each other. With `spin` a wait spins for a bounded time before it sleeps.
class Barrier {
 public:
  Barrier(int members, bool spin);
  // Returns how long that took where it took long.
  Clock::duration arrive_and_wait(int member, Cancel* cancel);

 private:
  int members_;
  bool spin_;
  std::unique_ptr<Count[]> arrivals_;  // of each member
};

// What a function that runs on the team sees of it.
class Member {
 public:
  Member(int index, int count, Barrier& barrier, Cancel* cancel)
      : index_(index), count_(count), barrier_(barrier), cancel_(cancel) {}
  int index() const { return index_; }
  int count() const { return count_; }
  bool is_caller() const { return index_ == 0; }  // the thread that called run_on_team()

  // This member's contiguous share of n things. Shares differ by at most one grain.
  Range share(core::Size n, core::Size grain = 1) const {
    const core::Size grains = core::divide_up(n, grain);
    const auto cut = [&](int i) {
      return std::min(n, grains * static_cast<core::Size>(i) / static_cast<core::Size>(count_) * grain);
    };
    return {cut(index_), cut(index_ + 1)};
  }
  void barrier() {
    ++barriers_;
    if (count_ > 1) late_ += barrier_.arrive_and_wait(index_, is_caller() ? cancel_ : nullptr);
  }
  std::uint64_t barriers() const { return barriers_; }  // so far in this run
  Clock::duration late() const { return late_; }        // how long this member has waited for others that came late
  // Whether to leave the work unfinished because the host asked to stop; for a look between two pieces of it. A barrier
  // must still be visited by all.
  bool stop() const { return cancel_ != nullptr && (is_caller() ? cancel_->poll() : cancel_->requested()); }

 private:
  int index_, count_;
  std::uint64_t barriers_ = 0;
  Clock::duration late_{};
  Barrier& barrier_;
  Cancel* cancel_;
};

// A reference to something callable, without allocation. It must not throw: allocate before the run.
class TeamFunction {
 public:
  template <class F>
  TeamFunction(F& f) : object_(&f), call_([](void* object, Member& me) { (*static_cast<F*>(object))(me); }) {}
  void operator()(Member& me) const { call_(object_, me); }

 private:
  void* object_;
  void (*call_)(void*, Member&);
};

// How a run went: its members, and how long the calling one waited for others that came late.
struct TeamRun {
  int members = 1;
  Clock::duration late{};
};

// Runs f on up to `members` threads, the calling one included, each in `mode`, and returns when all are done. Throws
// std::bad_alloc before f has begun, or not at all. With `cancel`, the calling thread polls it in
// Member::stop() and wherever it waits.
TeamRun run_on_team(int members, TeamFunction f, Cancel* cancel = nullptr, FloatMode mode = FloatMode::plain());

// The same for a function that takes its work from what is left of it (runtime/blocks.h) and passes no barrier: it begins
// at once, whoever comes in time helps, and whoever has not come by the time that all is done is not waited for.
TeamRun run_with_help(int members, TeamFunction f, Cancel* cancel = nullptr, FloatMode mode = FloatMode::plain());

// The members that share `flops` of work well: at least 1 MFLOP each, which takes longer than waiting for them, and no
// more than CPUs, since members that take turns only make each other wait. 8 on 2 CPUs took 1.6 times as long as 2.
int members_for(double flops);
// How many barriers runs of this process have had so far, for tests.
std::uint64_t barriers_passed();
// How many members the last run had.
int last_members();
// How many members there are: as many as the machine has CPUs to spare (runtime/pace.h). For tests of results, which do
// not depend on it, and for measurements: always as many as threads are allowed, on any number of CPUs; or another number
// up to that in each piece.
enum class TeamSize { by_pace, fixed, changing };
void set_team_size(TeamSize size);
TeamSize team_size();

inline Cancel* where_long(double flops, Cancel& cancel) { return flops > kQuickFlops ? &cancel : nullptr; }

}  // namespace nnext::runtime
