#include "runtime/pace.h"

#include <utility>

namespace nnext::runtime {
namespace {

// All in seconds. Programs on a busy machine take turns of 3 to 4 ms: what is compared must have seen some.
constexpr double kTrial = 16e-3;
// What the present number of members did in this time counts, what it did before only by half, and so on: enough that a
// CPU lost for long once does not decide, and little enough that a machine which was another one before is forgotten soon.
// Of trials, the one before counts by half.
constexpr double kMemory = 32e-3;
// That must be known of it before another one is tried.
constexpr double kKnown = 4e-3;
// Where pieces are long a trial and what is remembered need as many.
constexpr double kPieces = 3;
// A trial that is as much slower as this ends after its first moments, and by how much more after its first piece.
constexpr double kHopeless = 1.6, kFirstMoments = 2e-3, kAtOnce = 3;
// Fewer members are tried where the calling thread waits for late ones for this share of the time.
constexpr double kLateShare = 0.125;
// What more members must gain. Fewer need only be as fast: the CPUs that they leave are of use to others.
constexpr double kGain = 1.04, kAsFast = 0.99;
// A trial that lost is repeated after so many times what it cost, within bounds.
constexpr double kCosts = 25, kShortestWait = 50e-3, kLongestWait = 4;

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

Clock::time_point after(Clock::time_point now, double wait) {
  return now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(wait));
}

}  // namespace

void Pace::Sum::add(const Piece& piece, double time_) {
  work += piece.work, time += time_, late += seconds(piece.run.late), ++pieces;
}

void Pace::Sum::add(const Sum& other) {
  work += other.work, time += other.time, late += other.late, pieces += other.pieces;
}

void Pace::Sum::forget_half() { work /= 2, time /= 2, late /= 2, pieces /= 2; }

int Pace::another(int most) {
  static constinit std::atomic<unsigned> pieces{0};
  return 1 + static_cast<int>(pieces.fetch_add(1, std::memory_order_relaxed) % static_cast<unsigned>(most));
}

void Pace::took(int most, const Piece& piece, Clock::time_point begin, Clock::time_point end) {
  if (piece.work == 0 || busy_.test_and_set(std::memory_order_acquire)) return;
  if (std::exchange(most_, most) != most) now_ = trial_ = fewer_before_ = more_before_ = {};
  if (piece.run.members == members(most)) {  // fewer say nothing: the team was at work for others
    const bool in_trial = tried_.load(std::memory_order_relaxed) != halvings_;
    (in_trial ? trial_ : now_).add(piece, seconds(end - begin));
    in_trial ? judge_trial(end) : consider_trial(end);
  }
  busy_.clear(std::memory_order_release);
}

void Pace::consider_trial(Clock::time_point now) {
  if (now_.time < kKnown) return;
  if (now_.time >= 2 * kMemory && now_.pieces >= 2 * kPieces) now_.forget_half();
  const bool late = now_.late > kLateShare * now_.time;
  int next = halvings_;
  if (late && share(most_, halvings_) > 1 && now >= fewer_)
    next = halvings_ + 1;
  else if (halvings_ > 0 && now >= more_)
    next = halvings_ - 1;
  if (next == halvings_) return;
  trial_ = {};
  tried_.store(next, std::memory_order_relaxed);
}

void Pace::judge_trial(Clock::time_point now) {
  const double as_before = trial_.work * now_.time / now_.work, lost = trial_.time - as_before;
  const double slower = trial_.time / as_before;
  const bool hopeless = trial_.time > kFirstMoments && slower > (trial_.pieces < kPieces ? kAtOnce : kHopeless);
  if (!hopeless && (trial_.time < kTrial || trial_.pieces < kPieces)) return;
  const int tried = tried_.load(std::memory_order_relaxed);
  const bool of_fewer = tried > halvings_;
  Clock::time_point &way = of_fewer ? fewer_ : more_, &back = of_fewer ? more_ : fewer_;
  Sum &shown = of_fewer ? fewer_before_ : more_before_, &left = of_fewer ? more_before_ : fewer_before_;
  shown.add(trial_);
  if (shown.time * (of_fewer ? kAsFast : kGain) < shown.work * now_.time / now_.work) {
    // What has been left was better before, and may soon be so again.
    back = after(now, kShortestWait);
    halvings_ = tried;
    left = std::exchange(now_, std::exchange(shown, {}));
    left.forget_half();
    return;
  }
  shown.forget_half();
  way = after(now, std::clamp(kCosts * lost, kShortestWait, kLongestWait));
  tried_.store(halvings_, std::memory_order_relaxed);
}

}  // namespace nnext::runtime
