// multiply_panel: every edge size, both layouts of a, every init, memory limits, and where a NaN goes.
#include "checks.h"

namespace nnext::testing {
namespace {

constexpr std::size_t kLargest = 40;
constexpr Side kSides[] = {Side::low, Side::high};
enum class Init { zero, bias, c };
constexpr Init kInits[] = {Init::zero, Init::bias, Init::c};

std::vector<std::size_t> sizes(bool quick) {
  if (quick) return {1, 2, 3, 5, 6, 7, 8, 9, 12, 13, 17, 25, 40};
  std::vector<std::size_t> all;
  for (std::size_t n = 1; n <= kLargest; ++n) all.push_back(n);
  return all;
}

// Columns: also more vectors than one, whole or not, up to a panel.
std::vector<std::size_t> widths(std::size_t panel, bool quick) {
  std::vector<std::size_t> all;
  for (std::size_t n : sizes(quick))
    if (n <= panel) all.push_back(n);
  for (std::size_t n : {47, 48, 49, 63, 64})
    if (n > kLargest && n <= panel) all.push_back(n);
  return all;
}

// Operands of the largest size, and the products of their first k columns and rows: those of every smaller size.
template <class T>
class Problem {
 public:
  explicit Problem(std::size_t panel)
      : panel_(panel), product_(kLargest * panel), magnitude_(kLargest * panel), random_(1) {
    a_ = random_.uniforms<T>(kLargest * kLargest, -1, 1);
    b_ = random_.uniforms<T>(kLargest * panel, -1, 1);
    c_ = random_.uniforms<T>(kLargest * panel, -1, 1);
  }
  T a(std::size_t i, std::size_t p) const { return a_[i * kLargest + p]; }
  T b(std::size_t p, std::size_t j) const { return b_[p * panel_ + j]; }
  T c(std::size_t i, std::size_t j) const { return c_[i * panel_ + j]; }
  void add_step(std::size_t p) {
    for (std::size_t i = 0; i < kLargest; ++i)
      for (std::size_t j = 0; j < panel_; ++j) {
        const Real term = Real(a(i, p)) * b(p, j);
        product_[i * panel_ + j] += term;
        magnitude_[i * panel_ + j] += std::fabs(term);
      }
  }
  // The error of a chain of k fused or unfused steps that starts from `start`: at most (k + 2) eps (|start| + |a| |b|).
  double error(T got, std::size_t i, std::size_t j, T start, std::size_t k) const {
    const Real allowed = static_cast<Real>(k + 2) * eps<T>() * (std::fabs(Real(start)) + magnitude_[i * panel_ + j]);
    return share(got, start + product_[i * panel_ + j], allowed);
  }

 private:
  std::size_t panel_;
  std::vector<T> a_, b_, c_;
  std::vector<Real> product_, magnitude_;
  Random random_;
};

template <class T>
class SizeCheck {
 public:
  SizeCheck(const kernels::GemmKernels<T>& gemm, bool quick)
      : gemm_(gemm), sizes_(sizes(quick)), widths_(widths(gemm.panel(), quick)), problem_(gemm.panel()) {}

  double run() {
    for (std::size_t k = 0; k <= kLargest; ++k) {
      if (k > 0) problem_.add_step(k - 1);
      if (k > 0 && std::find(sizes_.begin(), sizes_.end(), k) == sizes_.end()) continue;
      for (Side side : kSides)
        for (std::size_t m : sizes_) rows(side, m, k);
    }
    return worst_;
  }

 private:
  void rows(Side side, std::size_t m, std::size_t k) {
    // Rows of a a little apart, then its columns a little apart: a_k == 1, then a_row == 1.
    const std::size_t row_stride = k + m % 3, column_stride = m + k % 3;
    const T* apart = apart_.lay(side, m, k, row_stride, [&](auto i, auto p) { return problem_.a(i, p); });
    const T* together = together_.lay(side, k, m, column_stride, [&](auto p, auto i) { return problem_.a(i, p); });
    for (std::size_t n : widths_) {
      const std::size_t b_k = n + k % 2;
      const T* b = b_.lay(side, k, n, b_k, [&](auto p, auto j) { return problem_.b(p, j); });
      const auto multiply_from = [&](const T* a, std::size_t a_row, std::size_t a_k) {
        for (Init init : kInits)
          multiply(side, {m, n, k, a, std::ptrdiff_t(a_row), std::ptrdiff_t(a_k), b, std::ptrdiff_t(b_k)}, init);
      };
      multiply_from(apart, row_stride, 1);
      multiply_from(together, 1, column_stride);
    }
  }

  struct Operands {
    std::size_t m, n, k;
    const T* a;
    std::ptrdiff_t a_row, a_k;
    const T* b;
    std::ptrdiff_t b_k;
  };
  void multiply(Side side, const Operands& p, Init init) {
    const std::size_t stride = p.n + p.m % 4;
    T* c = c_.lay(side, p.m, p.n, stride, [&](auto i, auto j) { return problem_.c(i, j); });
    const T* bias = bias_.lay(side, 1, p.n, p.n, [&](auto, auto j) { return problem_.c(0, j); });
    const T* start = init == Init::zero ? nullptr : init == Init::bias ? bias : c;
    const auto c_row = static_cast<std::ptrdiff_t>(stride), start_row = init == Init::c ? c_row : 0;
    gemm_.multiply_panel({p.m, p.n, p.k, p.a, p.a_row, p.a_k, p.b, p.b_k, start, start_row, c, c_row});
    for (std::size_t i = 0; i < p.m; ++i) {
      for (std::size_t j = 0; j < p.n; ++j) {
        const T first = init == Init::zero ? T(0) : problem_.c(init == Init::c ? i : 0, j);
        worst_ = std::max(worst_, problem_.error(c[i * stride + j], i, j, first, p.k));
      }
      for (std::size_t j = p.n; i + 1 < p.m && j < stride; ++j)
        if (!std::isnan(c[i * stride + j])) worst_ = HUGE_VAL;  // written between the rows
    }
  }

  const kernels::GemmKernels<T>& gemm_;
  std::vector<std::size_t> sizes_, widths_;
  Problem<T> problem_;
  Guarded<T> apart_{2 * kLargest * kLargest}, together_{2 * kLargest * kLargest}, b_{4 * kLargest * kLargest};
  Guarded<T> c_{4 * kLargest * kLargest}, bias_{2 * kLargest};
  double worst_ = 0;
};

// A NaN in a reaches its row, one in b its column, one in init its element, and nothing else.
template <class T>
double stray_nans(const kernels::GemmKernels<T>& gemm) {
  const std::size_t m = gemm.tile_rows + 3, n = gemm.panel(), k = 5;
  std::vector<T> a(m * k, 1), b(k * n, 1), start(m * n, 1), c(m * n);
  std::size_t wrong = 0;
  const auto expect = [&](T& place, auto&& reached) {
    const T before = std::exchange(place, std::numeric_limits<T>::quiet_NaN());
    for (bool rows_together : {false, true}) {
      const auto rows = static_cast<std::ptrdiff_t>(m), steps = static_cast<std::ptrdiff_t>(k);
      const auto row = static_cast<std::ptrdiff_t>(n);
      gemm.multiply_panel({m, n, k, a.data(), rows_together ? 1 : steps, rows_together ? rows : 1, b.data(), row,
                           start.data(), row, c.data(), row});
      for (std::size_t e = 0; e < m * n; ++e) wrong += std::isnan(c[e]) != reached(e / n, e % n, rows_together);
    }
    place = before;
  };
  for (std::size_t e = 0; e < m * k; ++e)
    expect(a[e], [&](auto i, auto, bool together) { return i == (together ? e % m : e / k); });
  for (std::size_t e = 0; e < k * n; ++e) expect(b[e], [&](auto, auto j, bool) { return j == e % n; });
  for (std::size_t e = 0; e < m * n; ++e) expect(start[e], [&](auto i, auto j, bool) { return i * n + j == e; });
  return wrong == 0 ? 0 : HUGE_VAL;
}

// A chain that is cut into runs is the chain of products one after the other, and without any it is what it began with.
template <class T>
double run_errors(const kernels::GemmKernels<T>& gemm) {
  constexpr std::size_t k = 3, most = 5, m = 17;
  const std::size_t n = gemm.panel() - 1;
  Random random(2);
  const std::vector<T> a = random.uniforms<T>(m * k * most * 2, -1, 1), b = random.uniforms<T>(k * most * n, -1, 1);
  const std::vector<T> bias = random.uniforms<T>(n, -1, 1);
  const auto row = static_cast<std::ptrdiff_t>(n);
  std::size_t wrong = 0;
  for (const bool rows_together : {false, true})
    for (std::size_t count = 0; count <= most; ++count) {
      std::vector<kernels::Run> runs;
      for (std::size_t r = 0; r < count; ++r)  // from the last to the first in b
        runs.push_back({static_cast<std::ptrdiff_t>(r * 11), static_cast<std::ptrdiff_t>((count - 1 - r) * k * n)});
      std::vector<T> c(m * n), expected(m * n);
      for (std::size_t i = 0; i < m; ++i)
        std::copy(bias.begin(), bias.end(), expected.begin() + row * std::ptrdiff_t(i));
      kernels::PanelProduct<T> product{
          m,           n, k,        a.data(), rows_together ? 1 : 4, rows_together ? 5 : 1, b.data(), row,
          bias.data(), 0, c.data(), row};
      product.runs = count, product.run = runs.data();
      gemm.multiply_panel(product);
      for (const kernels::Run& run : runs)
        gemm.multiply_panel({m, n, k, a.data() + run.a, product.a_row, product.a_k, b.data() + run.b, row,
                             expected.data(), row, expected.data(), row});
      for (std::size_t e = 0; e < m * n; ++e) wrong += c[e] != expected[e];
    }
  return wrong == 0 ? 0 : HUGE_VAL;
}

// multiply_row gives the bits of multiply_panel, for up to three panels and a rest, and touches nothing else.
template <class T>
double row_errors(const kernels::GemmKernels<T>& gemm) {
  constexpr std::size_t k = 9;
  const std::size_t largest = 3 * gemm.panel() + gemm.vector_lanes + 1;
  Random random(1);
  const std::vector<T> a = random.uniforms<T>(k, -1, 1), values = random.uniforms<T>(largest * (k + 1), -1, 1);
  Guarded<T> a_room(k), init_room(largest), c_room(largest);
  std::vector<T> b((largest + gemm.panel()) * k), expected(largest);
  std::size_t wrong = 0;
  for (std::size_t n = 1; n <= largest; ++n) {
    const std::size_t vectors = (n + gemm.vector_lanes - 1) / gemm.vector_lanes;
    const std::size_t width = std::min(vectors, gemm.panel_vectors) * gemm.vector_lanes;
    const auto row = static_cast<std::ptrdiff_t>(width);
    std::fill(b.begin(), b.end(), T(0));
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t p = 0; p < k; ++p) b[(j / width * k + p) * width + j % width] = values[p * largest + j];
    for (Side side : kSides)
      for (bool with_init : {false, true}) {
        const T* x = a_room.lay(side, 1, k, k, [&](auto, auto p) { return a[p]; });
        const T* bias = init_room.lay(side, 1, n, n, [&](auto, auto j) { return values[k * largest + j]; });
        T* c = c_room.lay(side, 1, n, n, [](auto, auto) { return T(7); });
        gemm.multiply_row({n, k, width, x, b.data(), with_init ? bias : nullptr, c});
        for (std::size_t j = 0; j < n; j += width)
          gemm.multiply_panel({1, std::min(width, n - j), k, x, static_cast<std::ptrdiff_t>(k), 1, b.data() + j * k,
                               row, with_init ? bias + j : nullptr, 0, expected.data() + j, row});
        for (std::size_t j = 0; j < n; ++j) wrong += c[j] != expected[j];
      }
  }
  return wrong == 0 ? 0 : HUGE_VAL;
}

template <class T>
void check(const Isa& isa, bool quick, Report& report) {
  const auto& gemm = isa.tables->get<T>().gemm;
  report.start(isa, type_name<T>(), "multiply_panel, sizes 1..40");
  report.finish(SizeCheck<T>(gemm, quick).run());
  report.start(isa, type_name<T>(), "multiply_panel, chains in runs");
  report.finish(run_errors(gemm));
  report.start(isa, type_name<T>(), "multiply_panel, NaN in every lane");
  report.finish(stray_nans<T>(gemm));
  report.start(isa, type_name<T>(), "multiply_row, bits of multiply_panel");
  report.finish(row_errors<T>(gemm));
}

}  // namespace

void check_gemm(const Isa& isa, bool quick, Report& report) {
  check<float>(isa, quick, report);
  check<double>(isa, quick, report);
}

}  // namespace nnext::testing
