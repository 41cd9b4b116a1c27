#include <optional>

#include "scenes.h"

namespace nnext::testing {

namespace {

class Epochs {
 public:
  Epochs(Course& course, const Record& record, Random& random) : course_(course), record_(record), random_(random) {}

  // What the host of this thread says. It may predict meanwhile, as a signal handler may.
  bool asked() {
    observe();
    return stops_left_ > 0 && stop_wanted_.exchange(false);
  }
  void want_stop() { stop_wanted_.store(true); }

  // An epoch that the host stops is gone back from and run again, in the end without being stopped.
  void run() {
    stops_left_ = 3;
    for (bool stopped = true; stopped; Findings::beat()) {
      const Saved before = course_.save();
      check(before, course_.epoch(*cancel_, [&] { observe(); }));
      stopped = cancel_->requested();
      if (!stopped) continue;
      --stops_left_;
      Findings::stop();
      cancel_.emplace();
      course_.restore(before);
    }
  }

 private:
  void observe() { observe_outputs(course_, record_, random_); }
  void check(const Saved& before, const train::EpochReport& report) {
    if (report.diverged) Findings::fail(course_.what().name, "training has diverged");
    const std::uint64_t steps = course_.trainer().counters().first.step - before.counters.step;
    if (course_.what().way != Way::own_loop && steps != report.steps)
      Findings::fail(course_.what().name, "an epoch has not taken the steps it tells of");
  }

  Course& course_;
  const Record& record_;
  Random& random_;
  std::optional<runtime::Cancel> cancel_{std::in_place};  // of many epochs, which may be short: it asks every 20 ms
  std::atomic<bool> stop_wanted_{false};
  int stops_left_ = 0;
};

}  // namespace

void whole_steps(const Case& what, const Record& record, Random& random) {
  const auto begin = std::chrono::steady_clock::now();
  Course course(what);
  course.settle(0, [] {});
  const Saved start = course.save();
  Epochs epochs(course, record, random);
  const Host host([&] { return epochs.asked(); });
  Crowd crowd;
  add_observers(crowd, course, record);
  crowd.add(change_threads);
  crowd.add([&](Random& mine) {
    if (mine.bits() % 32 == 0) epochs.want_stop();
  });
  while (std::chrono::steady_clock::now() - begin < kScene) {
    for (int epoch = 0; epoch < Course::kEpochs; ++epoch) {
      if (epoch > 0) course.settle(epoch, [] {});
      epochs.run();
    }
    if (digest(course.trainer().copy_state()) != record.last)
      Findings::fail(what.name, "training has other bits than in a quiet process");
    course.settle(0, [] {});
    course.restore(start);
  }
}

}  // namespace nnext::testing
