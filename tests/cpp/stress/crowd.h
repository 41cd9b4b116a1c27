// What a course is like when nothing disturbs it, and threads that look at one while it runs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "../check.h"
#include "course.h"

namespace nnext::testing {

// What was wrong, from any thread, and whether anything still happens.
class Findings {
 public:
  static void fail(const std::string& where, const char* what);
  static int count() { return failures.load(); }
  static void beat() { beats.fetch_add(1, std::memory_order_relaxed); }
  static void stop() { stops.fetch_add(1, std::memory_order_relaxed); }
  static std::string text();
  // Ends the process when nothing has happened for two minutes.
  static void watch();

 private:
  static inline std::atomic<int> failures{0};
  static inline std::atomic<std::uint64_t> beats{0}, stops{0};
};

// Every state that a course is in after a whole step or a change of settings, and what it then predicts.
struct Record {
  Record() : row_outputs(Course::kSingles) {}
  explicit Record(const Case& what);
  void add_outputs(Course& course);  // of what it predicts now
  bool knows(const train::StateCopy<float>& state) const {
    return states.contains({state.counters.step, digest(state)});
  }

  std::set<std::pair<std::uint64_t, std::uint64_t>> states;  // by step
  std::set<std::uint64_t> outputs;                           // of all rows of the probe
  std::vector<std::set<std::uint64_t>> row_outputs;          // of each that is predicted by itself
  std::uint64_t last;                                        // state
};

// The state that a quiet course ends in.
std::uint64_t last_state(const Case& what, int threads);

// What the host says when the core asks the thread that sets it: whether to stop. It may do anything meanwhile.
class Host {
 public:
  explicit Host(std::function<bool()> asked);
  ~Host();
  static bool ask();  // for runtime::set_poll

 private:
  std::function<bool()> asked_;
};

// Threads that do something again and again, at random moments, until this is destroyed.
class Crowd {
 public:
  ~Crowd();
  void add(std::function<void(Random&)> f);

 private:
  std::atomic<bool> done_{false};
  std::vector<std::thread> threads_;
};

// Those who compare what they see with a record: predictions of one row and of many, evaluations, copies, counters.
void add_observers(Crowd& crowd, Course& course, const Record& record);
void observe_outputs(Course& course, const Record& record, Random& random);

// Calls of run_on_team get other numbers of members all the time.
void change_threads(Random& random);

}  // namespace nnext::testing
