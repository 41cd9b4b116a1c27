#include <sys/wait.h>

#include <cstdio>

#include "runtime/threads.h"
#include "scenes.h"

namespace nnext::testing {

namespace {

// ThreadSanitizer lets the child of a process with threads start none.
constexpr int kChildThreads =
#if defined(__SANITIZE_THREAD__)
    1;
#else
    2;
#endif

// In the child, which has this thread only. Findings are counted by its exit code.
[[noreturn]] void live_on(Course& course, const Record& record, Random& random) {
  alarm(60);  // a deadlock
  const int before = Findings::count();
  runtime::set_num_threads(kChildThreads);
  if (!record.knows(course.trainer().copy_state())) Findings::fail(course.what().name, "a child has half a step");
  observe_outputs(course, record, random);
  runtime::Cancel cancel;
  if (course.epoch(cancel).diverged) Findings::fail(course.what().name, "a child diverged");
  course.predict(0, Course::kProbe);
  if (last_state(course.what(), kChildThreads) != record.last)
    Findings::fail(course.what().name, "a child trains other bits");
  _exit(Findings::count() == before ? 0 : 1);
}

void wait_for(pid_t child, const Case& what) {
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
    Findings::fail(what.name, "a forked child has failed or hung");
  Findings::beat();
}

// A course that is trained again and again, by a thread whose host forks now and then.
void train(Course& course, const Record& record, std::chrono::steady_clock::time_point end) {
  Random random(2);
  bool in_child = false;
  const Host host([&] {
    if (in_child || random.bits() % 4 != 0) return false;
    const pid_t child = fork();
    in_child = child == 0;
    if (in_child)
      runtime::set_num_threads(kChildThreads);
    else
      wait_for(child, course.what());
    return false;
  });
  const Saved start = course.save();
  while (std::chrono::steady_clock::now() < end) {
    for (int epoch = 0; epoch < Course::kEpochs; ++epoch) {
      runtime::Cancel cancel;
      if (epoch > 0) course.settle(epoch, [] {});
      course.epoch(cancel);  // what is lost in a child leaves it at a whole step
      if (in_child) live_on(course, record, random);
    }
    if (digest(course.trainer().copy_state()) != record.last)
      Findings::fail(course.what().name, "training has other bits with forks beside it");
    course.settle(0, [] {});
    course.restore(start);
  }
}

}  // namespace

void forks(const Case& what, const Record& record, Random& random) {
  const auto end = std::chrono::steady_clock::now() + kScene;
  Course course(what);
  course.settle(0, [] {});
  Crowd crowd;
  add_observers(crowd, course, record);
  crowd.add(change_threads);
  std::thread training([&] { train(course, record, end); });
  while (std::chrono::steady_clock::now() < end) {
    const pid_t child = fork();
    if (child == 0) live_on(course, record, random);
    wait_for(child, what);
  }
  training.join();
}

}  // namespace nnext::testing
