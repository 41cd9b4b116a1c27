// The chains of FMAs that measure the peak: none is left out or joined with another.
#include "checks.h"

namespace nnext::testing {
namespace {

// x = x / 2 + 1 takes i to 2 + (i - 2) / 2^s in s links. These and their sums have few bits, so they are exact.
template <class T>
bool chains_match(const kernels::PeakKernels<T>& kernel) {
  for (const int steps : {0, 1, 7}) {
    double want = 0;
    for (std::size_t i = 0; i < kernel.chains; ++i) want += 2 + std::ldexp(static_cast<double>(i) - 2, -steps);
    if (static_cast<double>(kernel.run(static_cast<std::size_t>(steps), T{0.5}, T{1})) != want) return false;
  }
  return true;
}

template <class T>
void check(const Isa& isa, Report& report) {
  report.start(isa, type_name<T>(), "peak");
  report.finish(chains_match(isa.tables->get<T>().peak) ? 0 : HUGE_VAL);
}

}  // namespace

void check_peak(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
