// Trains, predicts, evaluates, copies, cancels, changes settings and forks beside each other, for the sanitizers and
// for bits. stress [--quick]: about 60 seconds, or one round of 10; exits with 1 when something is wrong.
#include <chrono>

#include "runtime/threads.h"
#include "scenes.h"

int main(int argc, char** argv) {
  using namespace nnext::testing;
  using nnext::runtime::set_team_size;
  using nnext::runtime::TeamSize;
  using Clock = std::chrono::steady_clock;
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
  const auto begin = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  const auto say = [&](const std::string& what) {
    std::printf("%5.1f s  %s\n", seconds(), what.c_str());
    std::fflush(stdout);
  };
  set_team_size(TeamSize::fixed);
  nnext::runtime::set_poll(Host::ask);
  Findings::watch();

  const std::vector<Case> cases = all_cases(quick);
  std::vector<Record> records;
  for (const Case& what : cases) {
    records.emplace_back(what);
    for (const int threads : {2, 3, 8})
      if (last_state(what, threads) != records.back().last)
        Findings::fail(what.name, "other bits with another number of threads");
    set_team_size(TeamSize::changing);
    if (last_state(what, 8) != records.back().last) Findings::fail(what.name, "other bits with a team that changes");
    set_team_size(TeamSize::fixed);
    say("quiet: " + what.name);
  }
  Random random(1);
  int rounds = 0;
  do {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      set_team_size(i % 2 == static_cast<std::size_t>(rounds) % 2 ? TeamSize::fixed : TeamSize::changing);
      whole_steps(cases[i], records[i], random);
      say("whole steps: " + cases[i].name);
      if (!kForks) continue;
      forks(cases[i], records[i], random);
      say("forks: " + cases[i].name);
    }
    settings(random);
    say("settings");
    slices();
    say("slices");
    ++rounds;
  } while (!quick && seconds() < 45);
  std::printf("%d rounds, %s\n", rounds, Findings::text().c_str());
  return Findings::count() == 0 ? 0 : 1;
}
