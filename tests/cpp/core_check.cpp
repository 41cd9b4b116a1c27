// Checks plans, shares, programs, sources, descriptions and paces on every instruction set of this CPU: they differ in how weights
// are cut. Exits with 1 when one fails.
#include "core_checks.h"

namespace nnext::testing {

std::vector<Shape> all_shapes() {
  return {
      {"mlp", {linear(20, 300), relu(), linear(300, 70), tanh(), linear(70, 5)}, 20},
      {"activations first", {relu(), tanh(), gelu(), linear(6, 6), relu()}, 6},
      {"activations in a row", {linear(6, 40), relu(), relu(), gelu(), tanh(), relu(), linear(40, 2)}, 6},
      {"smooth", {linear(12, 64), gelu(), dropout(0.5), linear(64, 64), gelu(), linear(64, 3)}, 12},
      {"batch normalization", {linear(9, 33), batch_norm(33), relu(), linear(33, 33), batch_norm(33), tanh()}, 9},
      {"residual", {residual({relu(), linear(8, 8)}), relu(), residual({linear(8, 8), relu()}), tanh()}, 8},
      {"shortcut", {linear(8, 16), relu(), residual({relu(), linear(16, 4)}, {gelu(), linear(16, 4)}), relu()}, 8},
      {"nested", {residual({relu(), residual({linear(8, 8), gelu()}, {relu()}), tanh()}), linear(8, 2)}, 8},
      {"empty branches", {linear(5, 5), residual({}), residual({dropout(0.1)}), relu()}, 5},
      {"no layer that computes", {describe("Flatten"), dropout(0.5)}, 7},
  };
}

}  // namespace nnext::testing

int main() {
  using namespace nnext::testing;
  Report report;
  for (const std::string& name : nnext::kernels::available_isas()) {
    nnext::kernels::select_isa(name);
    Statements says(nnext::kernels::current_isa(), report);
    check_configs(says);
    check_plans(says);
    check_shares(says);
    check_programs(says);
    check_sources(says);
    check_paces(says);
    check_cancels(says);
    check_lengths(says);
    check_locks(says);
  }
  std::printf("%d failed\n", report.failures());
  return report.failures() == 0 ? 0 : 1;
}
