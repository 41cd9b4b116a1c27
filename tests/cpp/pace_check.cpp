// How many members a work is given, on machines that are made up: what each number of members takes there, and how long
// the calling one waits for others. Time is counted, not measured.
#include <functional>
#include <vector>

#include "core_checks.h"
#include "runtime/blocks.h"
#include "runtime/pace.h"

namespace nnext::testing {

namespace {

using runtime::Clock;
using runtime::Pace;
using std::chrono::duration;
using std::chrono::duration_cast;

// Seconds that a unit of work takes with so many members, and the share of them that the first one waits.
struct Machine {
  std::function<double(int)> seconds;
  std::function<double(int)> late;
};

const Machine kQuiet{[](int members) { return 1.0 / members; }, [](int) { return 0.0; }};
// As measured with 1, 2 and 4 programs on 2 CPUs.
const Machine kOne{[](int members) { return members == 1 ? 1.0 : 1.65; },
                   [](int members) { return members > 1 ? 0.5 : 0; }};
const Machine kTwo{[](int members) { return members == 1 ? 2.0 : 1.15; },
                   [](int members) { return members > 1 ? 0.3 : 0; }};
const Machine kFour{[](int members) { return members == 1 ? 2.1 : 9.4; },
                    [](int members) { return members > 1 ? 0.8 : 0; }};
// Seven of eight CPUs are somebody's.
const Machine kCrowd{[](int members) { return members <= 2 ? 1.0 / members : 2.0; },
                     [](int members) { return members > 2 ? 0.7 : 0; }};

// A work that goes on, over one machine after another.
struct Course {
  explicit Course(int most_) : most(most_) {}

  // Seconds of it, in pieces of so many; returns by how much it took longer than with the best number of members.
  double on(const Machine& machine, double length, double piece = 4e-3) {
    double best = machine.seconds(1);
    for (int members = 2; members <= most; members *= 2) best = std::min(best, machine.seconds(members));
    double time = 0, work = 0;
    while (time < length) {
      const int members = pace.members(most);
      const double amount = piece / best, took = amount * machine.seconds(members);
      const auto late = duration_cast<Clock::duration>(duration<double>(took * machine.late(members)));
      const Clock::time_point begin = now;
      now += duration_cast<Clock::duration>(duration<double>(took));
      pace.took(most, {amount, {members, late}}, begin, now);
      seen[static_cast<Size>(members)] += took;
      time += took, work += amount;
    }
    return time / (work * best);
  }

  int most;
  Pace pace{};
  Clock::time_point now = Clock::now();
  std::vector<double> seen = std::vector<double>(static_cast<Size>(most) + 1);
};

void check_pace(Statements& says) {
  for (const double piece : {3e-4, 4e-3, 3e-2}) {
    const std::string pieces = ", pieces of " + std::to_string(piece * 1e3) + " ms";
    Course quiet(8);
    says.holds("a quiet machine has all members" + pieces, quiet.on(kQuiet, 4, piece) < 1 + 1e-9 && quiet.seen[8] > 0);
    for (const Machine* machine : {&kOne, &kTwo, &kFour}) {
      const double cost = Course(2).on(*machine, 4, piece);
      says.holds("at most 1.1 times the better of 1 and 2 members: " + std::to_string(cost) + pieces, cost < 1.1);
    }
    Course crowd(8);
    crowd.on(kCrowd, 1, piece);  // it begins with all, and has to halve them twice
    const double cost = crowd.on(kCrowd, 4, piece);
    says.holds("of 8 members those that have a CPU: " + std::to_string(cost) + pieces, cost < 1.1);
  }
}

void check_changes(Statements& says) {
  Course course(2);
  course.on(kFour, 3);
  const double first = course.on(kQuiet, 0.4);
  says.holds("a machine that becomes quiet has all members again soon: " + std::to_string(first), first < 1.5);
  course.seen.assign(3, 0);
  course.on(kQuiet, 1);
  says.holds("and for good", course.seen[1] == 0);
  const double then = course.on(kOne, 0.4);
  says.holds("one that becomes busy has fewer soon: " + std::to_string(then), then < 1.25);
}

void check_what_does_not_count(Statements& says) {
  Pace pace;
  const Clock::time_point now = Clock::now();
  const auto ms = [](int count) { return std::chrono::milliseconds(count); };
  for (int i = 0; i < 100; ++i) pace.took(2, {1, {1, {}}}, now + ms(4 * i), now + ms(4 * i + 4));
  says.holds("fewer members than there should be say nothing", pace.members(2) == 2);
  for (int i = 0; i < 100; ++i) pace.took(2, {0, {2, ms(4)}}, now + ms(4 * i), now + ms(4 * i + 4));
  says.holds("nor does a piece that was not done", pace.members(2) == 2);
  for (int i = 0; i < 2; ++i) pace.took(2, {1, {2, ms(3)}}, now + ms(4 * i), now + ms(4 * i + 4));
  says.holds("one that waited for members does", pace.members(2) == 1);
}

// All of [0, n), once and in order, in blocks of the sizes asked for.
bool covers(Size n, int members, const runtime::Blocks::Sizes& sizes) {
  Size end = 0;
  bool good = true;
  runtime::Blocks blocks(n, members, sizes);
  auto take = [&](runtime::Member& me) {
    blocks.each(me, [&](runtime::Range block) {
      good = good && block.begin == end && block.size() <= std::max(sizes.most, sizes.grain);
      good = good && (block.end == n || (block.size() % sizes.grain == 0 && block.size() >= std::min(sizes.least, n)));
      end = block.end;
    });
  };
  runtime::run_with_help(1, take);
  return good && end == n;
}

void check_blocks(Statements& says) {
  bool good = true;
  for (const int members : {1, 2, 3, 8})
    for (const Size grain : {1, 6, 14})
      for (const Size n : {0, 1, 2, 13, 14, 15, 64, 127, 128, 256, 1000})
        for (const Size least : {1, 14, 28}) good = good && covers(n, members, {least, 128, grain});
  says.holds("blocks cover everything once", good);
}

void check_help(Statements& says) {
  runtime::set_team_size(runtime::TeamSize::fixed);
  bool good = true;
  for (int run = 0; run < 2000; ++run) {
    std::atomic<Size> sum{0};
    runtime::Blocks blocks(100, 3, {1, 8, 1});
    auto add = [&](runtime::Member& me) {
      blocks.each(me, [&](runtime::Range block) {
        for (Size i = block.begin; i < block.end; ++i) sum += i + 1;
      });
    };
    const runtime::TeamRun went = runtime::run_with_help(3, add);
    good = good && sum == 5050 && went.members == 3 && runtime::last_members() <= 3;
  }
  // Where waking a helper takes longer than the work, it has come too late at least once.
  bool alone = false;
  for (int run = 0; run < 2000 && !alone; ++run) {
    auto nothing = [](runtime::Member&) {};
    runtime::run_with_help(3, nothing);
    alone = runtime::last_members() < 3;
  }
  says.holds("whoever has not come is not waited for", alone);
  runtime::set_team_size(runtime::TeamSize::by_pace);
  says.holds("whoever comes helps, and nobody does anything twice or late", good);
}

}  // namespace

void check_paces(Statements& says) {
  check_pace(says);
  check_changes(says);
  check_what_does_not_count(says);
  check_blocks(says);
  check_help(says);
}

}  // namespace nnext::testing
