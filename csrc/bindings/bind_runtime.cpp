// Instruction sets and threads.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "bindings/bind.h"
#include "bindings/interrupt.h"
#include "core/errors.h"
#include "kernels/bf16/dispatch.h"
#include "kernels/dispatch.h"
#include "runtime/team.h"
#include "runtime/threads.h"

namespace nnext::bindings {

namespace py = pybind11;

namespace {

using runtime::Clock;
using runtime::TeamSize;

// What one member did, and when.
struct Measured {
  double flops = 0;
  Clock::time_point begin = Clock::time_point::max(), end = Clock::time_point::min();
};

// 2 ms of chains of FMAs, which tend to 2: no overflow, no denormal numbers.
template <class T>
Measured run_peak(const kernels::PeakKernels<T>& peak) {
  constexpr std::size_t kSteps = 4096;  // 8 to 30 us, between two looks at the clock
  Measured result{.begin = Clock::now()};
  do {
    peak.run(kSteps, T{0.5}, T{1});
    result.flops += static_cast<double>(2 * kSteps * peak.chains * peak.lanes);
    result.end = Clock::now();
  } while (result.end - result.begin < std::chrono::milliseconds(2));
  return result;
}

// FLOP/s of a team, from the first one's begin to the last one's end: members that must share a CPU gain nothing.
template <class T>
double fma_ceiling(int threads) {
  if (threads < 1 || threads > runtime::kMaxThreads)
    core::fail_value("[fma_ceiling] threads=", threads, " is not a number of threads; use 1 to ", runtime::kMaxThreads);
  const kernels::PeakKernels<T>& peak = kernels::current_kernels<T>().peak;
  std::vector<Measured> members(static_cast<std::size_t>(threads));
  auto work = [&](runtime::Member& me) {
    peak.run(4096, T{0.5}, T{1});  // a CPU may need some us to power up its wide vectors
    me.barrier();
    members[static_cast<std::size_t>(me.index())] = run_peak(peak);
  };
  const WithoutGil without_gil;
  runtime::run_on_team(threads, work);
  Measured all;
  for (const Measured& member : members) {
    all.flops += member.flops;
    all.begin = std::min(all.begin, member.begin);
    all.end = std::max(all.end, member.end);
  }
  return all.flops / std::chrono::duration<double>(all.end - all.begin).count();
}

}  // namespace

void bind_runtime(py::module_& m) {
  kernels::current_isa();  // a wrong NNEXT_ISA or NNEXT_NUM_THREADS is an error at import, not in the first fit
  runtime::num_threads();
  m.def("isa", [] { return kernels::current_isa().name; });
  m.def("available_isas", kernels::available_isas);
  m.def("compiled_isas", [] {
    std::vector<std::string> names;
    for (const kernels::Isa& isa : kernels::compiled_isas()) names.emplace_back(isa.name);
    return names;
  });
  m.def("available_bf16", [] {
    std::vector<std::string> names;
    for (const kernels::Bf16Kernels* kernels : kernels::available_bf16()) names.emplace_back(kernels->name);
    return names;
  });
  m.def("select_bf16", &kernels::select_bf16, py::arg("name"));
  m.def("select_isa", &kernels::select_isa, py::arg("name"));
  m.def("get_num_threads", runtime::num_threads);
  m.def("set_num_threads", runtime::set_num_threads, py::arg("n"));
  m.def("barriers_passed", runtime::barriers_passed);
  m.def("usable_cpus", runtime::usable_cpus);
  m.def(
      "fix_team", [](bool fixed) { runtime::set_team_size(fixed ? TeamSize::fixed : TeamSize::by_pace); },
      py::arg("fixed"));
  m.def("change_team", [] { runtime::set_team_size(TeamSize::changing); });
  m.def("last_members", runtime::last_members);
  m.def(
      "fma_ceiling",
      [](bool wide, int threads) { return wide ? fma_ceiling<double>(threads) : fma_ceiling<float>(threads); },
      py::arg("float64"), py::arg("threads"));
  m.def("cgroup_cpus", runtime::cgroup_cpus, py::arg("proc_cgroup"), py::arg("cgroup_root"));
}

}  // namespace nnext::bindings
