// copy, transpose and gather: every edge size, distances between rows, memory limits.
#include "checks.h"

namespace nnext::testing {
namespace {

constexpr std::size_t kLargest = 40;

// copy where `transposed` is false: what stands where it should not, or was written between the rows.
template <class T>
std::size_t wrong_numbers(const kernels::LayoutKernels<T>& layout, bool transposed) {
  Guarded<T> from_room{kLargest * (kLargest + 3)}, to_room{kLargest * (kLargest + 3)};
  std::size_t wrong = 0;
  for (std::size_t m = 1; m <= kLargest; ++m)
    for (std::size_t n = 1; n <= kLargest; ++n)
      for (Side side : {Side::low, Side::high}) {
        const std::size_t rows = transposed ? n : m, cols = transposed ? m : n;
        const std::size_t from_row = n + m % 3, to_row = cols + n % 4;
        const auto value = [](std::size_t i, std::size_t j) { return static_cast<T>(100 * i + j); };
        const T* from = from_room.lay(side, m, n, from_row, value);
        T* to = to_room.lay(side, rows, cols, to_row, [](auto, auto) { return T(-1); });
        const auto kernel = transposed ? layout.transpose : layout.copy;
        kernel(m, n, from, static_cast<std::ptrdiff_t>(from_row), to, static_cast<std::ptrdiff_t>(to_row));
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t j = 0; j < cols; ++j)
            wrong += to[i * to_row + j] != (transposed ? value(j, i) : value(i, j));
          for (std::size_t j = cols; i + 1 < rows && j < to_row; ++j) wrong += !std::isnan(to[i * to_row + j]);
        }
      }
  return wrong;
}

// Rows in an order of their own, forwards and backwards through memory.
template <class T>
std::size_t wrong_rows(const kernels::LayoutKernels<T>& layout) {
  Guarded<T> from_room{kLargest * (kLargest + 3)}, to_room{kLargest * kLargest};
  std::size_t wrong = 0;
  for (std::size_t m = 1; m <= kLargest; ++m)
    for (std::size_t n = 1; n <= kLargest; ++n)
      for (Side side : {Side::low, Side::high}) {
        const std::size_t from_row = n + m % 3;
        const auto value = [](std::size_t i, std::size_t j) { return static_cast<T>(100 * i + j); };
        const T* from = from_room.lay(side, m, n, from_row, value);
        T* to = to_room.at(side, m * n);
        const auto bytes = static_cast<std::ptrdiff_t>(from_row * sizeof(T));
        std::vector<std::uint32_t> order(m);
        for (std::size_t i = 0; i < m; ++i) order[i] = static_cast<std::uint32_t>((i * 7 + n) % m);
        layout.gather(m, n, from, bytes, order.data(), to);
        for (std::size_t e = 0; e < m * n; ++e) wrong += to[e] != value(order[e / n], e % n);
        layout.gather(m, n, from + (m - 1) * from_row, -bytes, order.data(), to);
        for (std::size_t e = 0; e < m * n; ++e) wrong += to[e] != value(m - 1 - order[e / n], e % n);
      }
  return wrong;
}

template <class T>
void check(const Isa& isa, Report& report) {
  const auto& layout = isa.tables->get<T>().layout;
  report.start(isa, type_name<T>(), "copy, sizes 1..40");
  report.finish(wrong_numbers(layout, false) == 0 ? 0 : HUGE_VAL);
  report.start(isa, type_name<T>(), "transpose, sizes 1..40");
  report.finish(wrong_numbers(layout, true) == 0 ? 0 : HUGE_VAL);
  report.start(isa, type_name<T>(), "gather, sizes 1..40");
  report.finish(wrong_rows(layout) == 0 ? 0 : HUGE_VAL);
}

}  // namespace

void check_layout(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
