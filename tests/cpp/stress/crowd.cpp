#include "crowd.h"

#include <chrono>

#include "runtime/threads.h"

namespace nnext::testing {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

thread_local Host* host = nullptr;

}  // namespace

// ---- findings -------------------------------------------------------------------------------------------------------

void Findings::fail(const std::string& where, const char* what) {
  failures.fetch_add(1);
  std::printf("FAIL %s: %s\n", where.c_str(), what);
  std::fflush(stdout);
}

std::string Findings::text() {
  return std::to_string(beats.load()) + " calls, " + std::to_string(stops.load()) + " of them stopped by the host, " +
         std::to_string(failures.load()) + " failed";
}

void Findings::watch() {
  std::thread([] {
    constexpr int kLooks = 12;
    std::uint64_t seen = 0;
    for (int same = 0; same < kLooks; ++same) {
      std::this_thread::sleep_for(std::chrono::seconds(10));
      const std::uint64_t now = beats.load(std::memory_order_relaxed);
      if (now != std::exchange(seen, now)) same = 0;
    }
    fail("watchdog", "nothing has happened for two minutes: a deadlock");
    _exit(1);
  }).detach();
}

// ---- a quiet course -------------------------------------------------------------------------------------------------

namespace {

// Calls seen(course) after each step and each change of settings. Returns the state at the end.
template <class F>
std::uint64_t run_quietly(Case what, int threads, F seen) {
  runtime::set_num_threads(threads);
  if (what.way == Way::own_loop) what.way = Way::epochs;  // the same bits
  Course course(what);
  for (int epoch = 0; epoch < Course::kEpochs; ++epoch) {
    course.settle(epoch, [&] { seen(course); });
    course.epoch_by_steps([&] { seen(course); });
  }
  const std::uint64_t last = digest(course.trainer().copy_state());
  course.settle(0, [&] { seen(course); });  // as before the next time around
  return last;
}

}  // namespace

Record::Record(const Case& what) : Record() {
  last = run_quietly(what, 1, [&](Course& course) {
    const train::StateCopy<float> state = course.trainer().copy_state();
    states.emplace(state.counters.step, digest(state));
    add_outputs(course);
    Findings::beat();
  });
}

void Record::add_outputs(Course& course) {
  outputs.insert(course.predict(0, Course::kProbe));
  for (Size row = 0; row < Course::kSingles; ++row) row_outputs[row].insert(course.predict_row(row));
}

std::uint64_t last_state(const Case& what, int threads) {
  return run_quietly(what, threads, [](Course&) {});
}

// ---- the host -------------------------------------------------------------------------------------------------------

Host::Host(std::function<bool()> asked) : asked_(std::move(asked)) { host = this; }
Host::~Host() { host = nullptr; }

bool Host::ask() {
  Host* const asked = std::exchange(host, nullptr);  // what it does may ask again
  const bool stop = asked != nullptr && asked->asked_();
  host = asked;
  return stop;
}

// ---- threads --------------------------------------------------------------------------------------------------------

Crowd::~Crowd() {
  done_.store(true);
  for (std::thread& thread : threads_) thread.join();
}

void Crowd::add(std::function<void(Random&)> f) {
  threads_.emplace_back([this, f = std::move(f), seed = threads_.size()] {
    Random random(seed);
    while (!done_.load()) {
      f(random);
      Findings::beat();
      std::this_thread::sleep_for(microseconds(random.bits() % 2000));
    }
  });
}

void observe_outputs(Course& course, const Record& record, Random& random) {
  const Size row = random.bits() % Course::kSingles;
  if (!record.row_outputs[row].contains(course.predict_row(row)))
    Findings::fail(course.what().name, "the prediction of a row is that of no whole step");
  if (random.bits() % 4 == 0 && !record.outputs.contains(course.predict(0, Course::kProbe)))
    Findings::fail(course.what().name, "the predictions of many rows are those of no whole step");
}

void add_observers(Crowd& crowd, Course& course, const Record& record) {
  for (int i = 0; i < 2; ++i) crowd.add([&](Random& random) { observe_outputs(course, record, random); });
  crowd.add([&](Random&) {
    if (course.can_evaluate() && !record.outputs.contains(course.evaluate()))
      Findings::fail(course.what().name, "an evaluation saw no whole step");
  });
  crowd.add([&](Random&) {
    if (!record.knows(course.trainer().copy_state()))
      Findings::fail(course.what().name, "a copy of the state is that of no whole step");
    const auto [counters, steps] = course.trainer().counters();
    if (steps > counters.step) Findings::fail(course.what().name, "the optimizer is ahead of the counter");
  });
}

void change_threads(Random& random) {
  constexpr int kThreads[] = {1, 2, 3, 8};
  runtime::set_num_threads(kThreads[random.bits() % 4]);
  std::this_thread::sleep_for(milliseconds(random.bits() % 16));
}

}  // namespace nnext::testing
