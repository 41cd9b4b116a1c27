// Sums of columns and of their squares, and the count of values that are not finite: all exact.
#include "checks.h"

namespace nnext::testing {
namespace {

template <class T>
bool sums_match(const kernels::ReduceKernels<T>& kernel) {
  constexpr std::size_t kRows = 9, kLargest = 150;
  Guarded<T> x_memory(kRows * (kLargest + 2)), sum_memory(kLargest);
  Guarded<double> squares_memory(kLargest);
  Random random(6);
  for (std::size_t n = 1; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high})
      for (std::size_t m : {std::size_t{0}, std::size_t{1}, kRows}) {
        const std::size_t stride = n + n % 3;
        const T* x =
            x_memory.lay(side, m, n, stride, [&](auto, auto) { return static_cast<T>(random.uniform(-1, 1)); });
        T* sum = sum_memory.put(side, random.uniforms<T>(n, 0, 1));
        const std::vector<T> begun(sum, sum + n);
        const bool continues = m % 2 == 1;
        kernel.column_sums(m, n, x, static_cast<std::ptrdiff_t>(stride), continues ? sum : nullptr, sum);
        double* squares = squares_memory.put(side, random.uniforms<double>(n, 0, 1));
        const std::vector<double> start(squares, squares + n);
        kernel.column_squares(m, n, x, static_cast<std::ptrdiff_t>(stride), squares);
        for (std::size_t j = 0; j < n; ++j) {
          T want = continues ? begun[j] : T(0);
          double square = start[j];
          for (std::size_t i = 0; i < m; ++i) {
            want += x[i * stride + j];
            square += static_cast<double>(x[i * stride + j]) * static_cast<double>(x[i * stride + j]);
          }
          if (sum[j] != want || squares[j] != square) return false;
        }
      }
  return true;
}

template <class T>
bool count_matches(const kernels::ReduceKernels<T>& kernel) {
  constexpr std::size_t kLargest = 100;
  using Limits = std::numeric_limits<T>;
  const T values[] = {0,
                      1,
                      Limits::quiet_NaN(),
                      -1,
                      Limits::infinity(),
                      Limits::max(),
                      -Limits::infinity(),
                      Limits::denorm_min(),
                      -Limits::quiet_NaN()};
  Guarded<T> memory(kLargest);
  Random random(7);
  for (std::size_t n = 0; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high}) {
      std::vector<T> x(n);
      for (T& value : x) value = values[random.bits() % std::size(values)];
      const auto want = std::count_if(x.begin(), x.end(), [](T value) { return !std::isfinite(value); });
      if (kernel.count_nonfinite(n, memory.put(side, x)) != static_cast<std::size_t>(want)) return false;
    }
  const std::vector<T> many((std::size_t{1} << 20) + 5, Limits::infinity());  // more than one block of the kernel
  return kernel.count_nonfinite(many.size(), many.data()) == many.size();
}

template <class T>
void check(const Isa& isa, Report& report) {
  const auto& kernel = isa.tables->get<T>().reduce;
  report.start(isa, type_name<T>(), "column_sums and column_squares");
  report.finish(sums_match(kernel) ? 0 : HUGE_VAL);
  report.start(isa, type_name<T>(), "count_nonfinite");
  report.finish(count_matches(kernel) ? 0 : HUGE_VAL);
}

}  // namespace

void check_reduce(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
