#include <sys/wait.h>

#include <cstdio>

#include "runtime/threads.h"
#include "scenes.h"

namespace nnext::testing {

namespace {

// In the child, which has this thread only. Findings are counted by its exit code.
[[noreturn]] void live_on(Course& course, const Record& record, Random& random) {
  alarm(60);  // a deadlock
  const int before = Findings::count();
  runtime::set_num_threads(2);
  if (!record.knows(course.trainer().copy_state())) Findings::fail(course.what().name, "a child has half a step");
  observe_outputs(course, record, random);
  runtime::Cancel cancel;
  if (course.epoch(cancel).diverged) Findings::fail(course.what().name, "a child diverged");
  course.predict(0, Course::kProbe);
  if (last_state(course.what(), 2) != record.last) Findings::fail(course.what().name, "a child trains other bits");
  _exit(Findings::count() == before ? 0 : 1);
}

}  // namespace

void forks(const Case& what, const Record& record, Random& random) {
  const auto end = std::chrono::steady_clock::now() + kScene;
  Course course(what);
  course.settle(0, [] {});
  const Saved start = course.save();
  Crowd crowd;
  add_observers(crowd, course, record);
  crowd.add(change_threads);
  std::thread training([&] {
    while (std::chrono::steady_clock::now() < end) {
      for (int epoch = 0; epoch < Course::kEpochs; ++epoch) {
        runtime::Cancel cancel;
        if (epoch > 0) course.settle(epoch, [] {});
        course.epoch(cancel);
      }
      if (digest(course.trainer().copy_state()) != record.last)
        Findings::fail(what.name, "training has other bits with forks beside it");
      course.settle(0, [] {});
      course.restore(start);
    }
  });
  while (std::chrono::steady_clock::now() < end) {
    const pid_t child = fork();
    if (child == 0) live_on(course, record, random);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
      Findings::fail(what.name, "a forked child has failed or hung");
    Findings::beat();
  }
  training.join();
}

}  // namespace nnext::testing
