// How many members of the team a work is worth from moment to moment.
//
// A member that has lost its CPU to another program is waited for at every barrier, so that on a busy machine two can be
// slower than one, or five times slower. Nobody can know which is better without having tried: a work is done in pieces,
// each tells how long it took, and now and then some are done with half the members, or twice as many. What was tried and
// lost is tried again after 25 times the time that it cost, so that all trials cost a few percent at most. Results do not
// depend on the number of members.
#pragma once

#include <algorithm>
#include <atomic>

#include "runtime/team.h"

namespace nnext::runtime {

// Of one kind of work: a training's steps, a network's predictions, products of about one size. Any thread may use it.
class Pace {
 public:
  // Does a piece of the work, a few milliseconds long where it can be cut, which up to `most` members can share:
  // piece(members) returns what it did, in a unit that is always the same, and the run that did it.
  struct Piece {
    double work = 0;  // 0: it was not done to its end
    TeamRun run{};
  };
  template <class F>
  void run(int most, F piece) {
    if (most <= 1 || team_size() == TeamSize::fixed) return static_cast<void>(piece(most));
    if (team_size() == TeamSize::changing) return static_cast<void>(piece(another(most)));
    const Clock::time_point begin = Clock::now();
    const Piece done = piece(members(most));
    took(most, done, begin, Clock::now());
  }

  // The two parts of run(), where a piece took what the clock says.
  int members(int most) const { return share(most, tried_.load(std::memory_order_relaxed)); }
  void took(int most, const Piece& piece, Clock::time_point begin, Clock::time_point end);

 private:
  // What pieces took together, in seconds.
  struct Sum {
    double work = 0, time = 0, late = 0, pieces = 0;
    void add(const Piece& piece, double seconds);
    void add(const Sum& other);
    void forget_half();
  };
  static int another(int most);
  static int share(int most, int halvings) { return std::max(1, most >> halvings); }
  void consider_trial(Clock::time_point now);
  void judge_trial(Clock::time_point now);

  std::atomic_flag busy_{};    // of two that come at once the second leaves no word
  std::atomic<int> tried_{0};  // of the next piece: how often the greatest number of members is halved
  int halvings_ = 0;           // the same but in a trial
  int most_ = 0;
  Sum now_{}, trial_{};
  Sum fewer_before_{}, more_before_{};  // what trials of such have shown
  Clock::time_point fewer_{}, more_{};  // when they may be tried again
};

}  // namespace nnext::runtime
