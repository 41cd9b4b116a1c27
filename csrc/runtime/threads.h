// How many threads a call may use.
#pragma once

#include <filesystem>

namespace nnext::runtime {

// The number set by set_num_threads, else NNEXT_NUM_THREADS, else OMP_NUM_THREADS but no more than usable_cpus(), else
// that.
int num_threads();
void set_num_threads(int count);  // throws std::invalid_argument unless 1 <= count <= kMaxThreads

inline constexpr int kMaxThreads = 256;

// The CPUs this process may run on: its affinity mask and its control group's quota, whichever is smaller.
int usable_cpus();
int cpus();  // the same, counted when it was first asked for

// CPUs by the control group's quota (version 2 or 1) of the process described by
// `proc_cgroup`, rounded up; 0 without a quota.
int cgroup_cpus(const std::filesystem::path& proc_cgroup, const std::filesystem::path& cgroup_root);

}  // namespace nnext::runtime
