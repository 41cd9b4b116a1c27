#include "runtime/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "core/errors.h"

namespace nnext::runtime {
namespace {

namespace fs = std::filesystem;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kBlanks);
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

// A whole number, with blanks around it; nothing for other text. One that no int holds is the largest or smallest.
std::optional<int> whole_number(std::string_view text) {
  text = trimmed(text);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return {};
  if (error == std::errc::result_out_of_range)
    return text.front() == '-' ? std::numeric_limits<int>::min() : std::numeric_limits<int>::max();
  return number;
}

std::string_view from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

// NNEXT_NUM_THREADS is for us alone: what it cannot mean is an error. 0 when unset.
int own_setting() {
  const std::string_view text = from_environment("NNEXT_NUM_THREADS");
  if (trimmed(text).empty()) return 0;
  const std::optional<int> number = whole_number(text);
  if (!number || *number < 1 || *number > kMaxThreads)
    core::fail_value("NNEXT_NUM_THREADS=", text, " is not a number of threads; use 1 to ", kMaxThreads);
  return *number;
}

// OMP_NUM_THREADS is for everybody: it may be meant for a larger machine, or be a list ("4,2"), of which the first
// entry counts. What is no number of threads is as if it was not there: 0.
int shared_setting() {
  const std::string_view text = from_environment("OMP_NUM_THREADS");
  const std::optional<int> number = whole_number(text.substr(0, text.find(',')));
  return number && *number >= 1 ? std::min(*number, usable_cpus()) : 0;
}

int default_num_threads() {
  int count = own_setting();
  if (count == 0) count = shared_setting();
  if (count == 0) count = usable_cpus();
  return std::min(count, kMaxThreads);
}

// 0: not known yet. No guards of static variables, in whose midst another thread may fork: the child would wait for ever.
std::atomic<int> chosen{0}, counted{0};

// The first of those who find it out at once decides.
template <class F>
int known(std::atomic<int>& count, F find) {
  int now = count.load(std::memory_order_relaxed);
  if (now != 0) return now;
  const int found = find();
  return count.compare_exchange_strong(now, found) ? found : now;
}

int affinity_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return 1;  // more than 1,024 CPUs: the fixed-size mask is too small, and asking for one thread is always safe
}

int ceil_ratio(double quota, double period) {
  return quota > 0 && period > 0 ? std::max(1, static_cast<int>(std::ceil(quota / period))) : 0;
}

// cpu.max of version 2 is "quota period" or "max period".
int quota_v2(const fs::path& folder) {
  std::ifstream file(folder / "cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period ? ceil_ratio(quota, period) : 0;
}

int quota_v1(const fs::path& folder) {
  double quota = 0, period = 0;
  std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
  std::ifstream(folder / "cpu.cfs_period_us") >> period;
  return ceil_ratio(quota, period);
}

// "cpu,cpuacct" does, "cpuset" does not.
bool has_cpu(const std::string& controllers) { return ("," + controllers + ",").find(",cpu,") != std::string::npos; }

int smaller_limit(int a, int b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

}  // namespace

int num_threads() { return known(chosen, default_num_threads); }

void set_num_threads(int count) {
  if (count < 1 || count > kMaxThreads)
    core::fail_value("[set_num_threads] n=", count, " is not a number of threads; use 1 to ", kMaxThreads);
  chosen.store(count);
}

int cpus() { return known(counted, usable_cpus); }

int usable_cpus() {
  const int quota = cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup");
  return quota > 0 ? std::min(quota, affinity_cpus()) : affinity_cpus();
}

int cgroup_cpus(const fs::path& proc_cgroup, const fs::path& cgroup_root) {
  std::ifstream lines(proc_cgroup);
  int limit = 0;
  for (std::string line; std::getline(lines, line);) {
    // "hierarchy:controllers:path"; version 2 has hierarchy 0 and no controllers. A parent's quota binds its children
    // too.
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && !has_cpu(controllers)) continue;
    const fs::path root = v2 ? cgroup_root : cgroup_root / "cpu";
    for (fs::path at = fs::path(line.substr(second + 1)).relative_path();; at = at.parent_path()) {
      limit = smaller_limit(limit, v2 ? quota_v2(root / at) : quota_v1(root / at));
      if (at.empty()) break;
    }
  }
  return limit;
}

}  // namespace nnext::runtime
