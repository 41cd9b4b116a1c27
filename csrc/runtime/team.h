// The thread team: a call runs one function on every member, each works on its own share, and barriers part the phases.
//
// There is one team in a process. Its threads start with the first call that wants them, sleep when idle, never touch
// Python, and are stopped before a fork. A call that finds the team in use by another thread runs alone: results do not
// depend on the number of members.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>

#include "core/size.h"

namespace nnext::runtime {

// [begin, end)
struct Range {
  core::Size begin = 0, end = 0;
  core::Size size() const { return end - begin; }
};

// Lets the members of one run wait for each other. A wait spins for a bounded time, then sleeps.
class Barrier {
 public:
  explicit Barrier(int members);
  void arrive_and_wait(int member);

 private:
  struct alignas(64) Arrivals {
    std::atomic<std::uint32_t> count{0};
  };
  int members_;
  std::unique_ptr<Arrivals[]> arrivals_;
};

// What a function that runs on the team sees of it.
class Member {
 public:
  Member(int index, int count, Barrier& barrier) : index_(index), count_(count), barrier_(barrier) {}
  int index() const { return index_; }
  int count() const { return count_; }
  bool is_caller() const { return index_ == 0; }  // the thread that called run()

  // This member's contiguous share of n things; shares differ by at most one grain.
  Range share(core::Size n, core::Size grain = 1) const {
    const core::Size grains = core::divide_up(n, grain);
    const auto cut = [&](int i) { return std::min(n, grains * static_cast<core::Size>(i) / static_cast<core::Size>(count_) * grain); };
    return {cut(index_), cut(index_ + 1)};
  }
  void barrier() {
    if (count_ > 1) barrier_.arrive_and_wait(index_);
  }

 private:
  int index_, count_;
  Barrier& barrier_;
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

// Runs f on up to `members` threads, the calling one included, and returns when all are done.
void run_on_team(int members, TeamFunction f);

// The members that share `flops` of work well: at least 1 MFLOP each, which takes longer than waking and waiting for them.
int members_for(double flops);

}  // namespace nnext::runtime
