// Checks every kernel on every instruction set that this CPU has. kernel_check [--quick]; exits with 1 when one fails.
#include <csignal>

#include "checks.h"

namespace {

void on_fault(int) {
  const char* current = nnext::testing::Report::current;
  const char* end = ": touched memory that is not its own\n";
  const bool written =
      write(1, "FAIL ", 5) > 0 && write(1, current, std::strlen(current)) > 0 && write(1, end, std::strlen(end)) > 0;
  _exit(written ? 1 : 2);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace nnext::testing;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::signal(SIGSEGV, on_fault);
  std::signal(SIGBUS, on_fault);
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";

  Report report;
  std::vector<Isa> isas;
  for (const Isa& isa : nnext::kernels::compiled_isas())
    if (isa.supported()) isas.push_back(isa);
  check_math(isas, quick, report);
  for (const Isa& isa : isas) {
    check_gemm(isa, quick, report);
    check_layout(isa, report);
    check_elementwise(isa, report);
    check_softmax(isa, report);
    check_prelu(isa, report);
    check_noise(isa, report);
    check_loss(isa, quick, report);
    check_reduce(isa, report);
    check_normalize(isa, report);
    check_row_norm(isa, report);
    check_pool(isa, report);
    check_update(isa, report);
    check_convert(isa, report);
    check_bf16(isa, report);
    check_peak(isa, report);
    check_tiny(isa, quick, report);
    check_same_bits(isa, report);
  }
  std::printf("%d failed\n", report.failures());
  return report.failures() == 0 ? 0 : 1;
}
