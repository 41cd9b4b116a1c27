// What builds with NNEXT_CHECKS assert about locks (runtime/checks.h): each assertion ends a process that breaks it.
#include "core_checks.h"

#ifdef NNEXT_CHECKS

#include <sys/wait.h>

#include <thread>

#include "runtime/checks.h"
#include "runtime/gate.h"

namespace nnext::testing {

namespace {

using runtime::Gate;

// Whether a child that calls f ends by abort(), saying nothing here.
template <class F>
bool aborts(F f) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    f();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

void hold_hosts_lock(bool held) {
  static bool may_wait;
  may_wait = !held;
  runtime::set_may_wait([] { return may_wait; });
}

void run_a_team() {
  auto nothing = [](runtime::Member&) {};
  runtime::set_team_size(runtime::TeamSize::fixed);
  runtime::run_on_team(2, nothing);
}

void ask_host_when_due() {
  runtime::set_poll([] { return false; });
  runtime::Cancel cancel;
  std::this_thread::sleep_for(2 * runtime::Cancel::kInterval);
  cancel.poll();
}

}  // namespace

void check_locks(Statements& says) {
  for (const bool held : {false, true}) {
    const std::string with = held ? "with the host's lock ends the process: " : "without it does not: ";
    const auto ends = [&](const char* what, auto wait) {
      says.holds(with + what, aborts([&] { hold_hosts_lock(held), wait(); }) == held);
    };
    ends("a run of the team", run_a_team);
    ends("a reader's wait", [] {
      Gate gate;
      const Gate::Reader reader(gate);
    });
    ends("a writer's wait", [] {
      Gate gate;
      const Gate::Writer writer(gate, nullptr);
    });
  }
  says.holds("a poll with open gates goes on", !aborts(ask_host_when_due));
  says.holds("a poll within a gate ends the process", aborts([] {
               Gate gate;
               const Gate::Writer writer(gate, nullptr);
               ask_host_when_due();
             }));
}

}  // namespace nnext::testing

#else

namespace nnext::testing {
void check_locks(Statements&) {}
}  // namespace nnext::testing

#endif
