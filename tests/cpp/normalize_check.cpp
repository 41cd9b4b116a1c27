// Moments of columns, rows normalised by them and their gradients: bit for bit the chains over the rows that are
// promised, at every width, with strides, in place, between forbidden pages and with a NaN in every column.
#include "checks.h"

namespace nnext::testing {
namespace {

constexpr std::size_t kRows = 9, kLargest = 150;

// A matrix whose rows lie `stride` apart.
template <class T>
struct Rows {
  T* data;
  std::size_t stride;
  T& at(std::size_t i, std::size_t j) const { return data[i * stride + j]; }
  std::ptrdiff_t step() const { return static_cast<std::ptrdiff_t>(stride); }
};

// What the kernels must give for m x n numbers, element by element. NaN equals NaN.
template <class T>
class Wanted {
 public:
  Wanted(std::size_t m, std::size_t n, bool fused) : m_(m), n_(n), fused_(fused) {}

  bool moments(Rows<T> x, const T* mean, const T* squares) const {
    return each_column([&](std::size_t j) {
      T sum = 0, square = 0;
      for (std::size_t i = 0; i < m_; ++i) sum += x.at(i, j);
      const T middle = sum / static_cast<T>(m_);
      for (std::size_t i = 0; i < m_; ++i) square = join(x.at(i, j) - middle, x.at(i, j) - middle, square);
      return same(mean[j], middle) && same(squares[j], square);
    });
  }
  bool forward(Rows<T> x, const T* mean, const T* scale, const T* shift, Rows<T> y) const {
    return each(
        [&](std::size_t i, std::size_t j) { return same(y.at(i, j), join(x.at(i, j) - mean[j], scale[j], shift[j])); });
  }
  bool backward_sums(Rows<T> dy, Rows<T> x, const T* mean, const T* sum, const T* dot) const {
    return each_column([&](std::size_t j) {
      T total = 0, product = 0;
      for (std::size_t i = 0; i < m_; ++i) {
        total += dy.at(i, j);
        product = join(dy.at(i, j), x.at(i, j) - mean[j], product);
      }
      return same(sum[j], total) && same(dot[j], product);
    });
  }
  bool backward(Rows<T> dy, Rows<T> x, const T* mean, const T* scale, const T* c0, const T* c1, Rows<T> dx) const {
    return each([&](std::size_t i, std::size_t j) {
      return same(dx.at(i, j), scale[j] * join(-(x.at(i, j) - mean[j]), c1[j], dy.at(i, j) - c0[j]));
    });
  }

 private:
  T join(T a, T b, T c) const { return fused_ ? std::fma(a, b, c) : a * b + c; }
  static bool same(T a, T b) { return a == b || (std::isnan(a) && std::isnan(b)); }
  template <class Check>
  bool each_column(Check check) const {
    for (std::size_t j = 0; j < n_; ++j)
      if (!check(j)) return false;
    return true;
  }
  template <class Check>
  bool each(Check check) const {
    return each_column([&](std::size_t j) {
      for (std::size_t i = 0; i < m_; ++i)
        if (!check(i, j)) return false;
      return true;
    });
  }

  std::size_t m_, n_;
  bool fused_;
};

template <class T>
class NormalizeCheck {
 public:
  NormalizeCheck(const kernels::NormalizeKernels<T>& kernel, bool fused) : kernel_(kernel), fused_(fused) {}

  // With a NaN in the first row of every third column where `nans`.
  bool matches(std::size_t m, std::size_t n, Side side, bool nans) {
    const Wanted<T> wanted(m, n, fused_);
    const auto number = [&](std::size_t i, std::size_t j) {
      return nans && i == 0 && j % 3 == 1 ? std::numeric_limits<T>::quiet_NaN() : value();
    };
    const Rows<T> x = lay(x_, m, n, n + n % 3, side, number), y = lay(y_, m, n, n + n % 2, side, number);
    const Rows<T> dy = lay(dy_, m, n, n + n % 5, side, number), dx = lay(dx_, m, n, n + n % 4, side, number);
    T *mean = mean_.at(side, n), *squares = squares_.at(side, n);
    const T *scale = column(scale_, n, side), *shift = column(shift_, n, side);

    kernel_.moments(m, n, x.data, x.step(), mean, squares);
    if (!wanted.moments(x, mean, squares)) return false;
    kernel_.forward(m, n, x.data, x.step(), mean, scale, shift, y.data, y.step());
    if (!wanted.forward(x, mean, scale, shift, y)) return false;
    kernel_.backward_sums(m, n, dy.data, dy.step(), x.data, x.step(), mean, squares, shift_.at(side, n));
    if (!wanted.backward_sums(dy, x, mean, squares, shift)) return false;
    const T* c0 = squares;  // any numbers
    kernel_.backward(m, n, dy.data, dy.step(), x.data, x.step(), mean, scale, c0, shift, dx.data, dx.step());
    if (!wanted.backward(dy, x, mean, scale, c0, shift, dx)) return false;
    return in_place_is_the_same(m, n, dy, x, mean, scale, c0, shift, dx);
  }

 private:
  bool in_place_is_the_same(std::size_t m, std::size_t n, Rows<T> dy, Rows<T> x, const T* mean, const T* scale,
                            const T* c0, const T* c1, Rows<T> dx) const {
    kernel_.backward(m, n, dy.data, dy.step(), x.data, x.step(), mean, scale, c0, c1, dy.data, dy.step());
    std::vector<T> y(m * n);
    kernel_.forward(m, n, x.data, x.step(), mean, scale, c1, y.data(), static_cast<std::ptrdiff_t>(n));
    kernel_.forward(m, n, x.data, x.step(), mean, scale, c1, x.data, x.step());
    for (std::size_t i = 0; i < m; ++i)
      if (std::memcmp(&dy.at(i, 0), &dx.at(i, 0), n * sizeof(T)) != 0 ||
          std::memcmp(&x.at(i, 0), &y[i * n], n * sizeof(T)) != 0)
        return false;
    return true;
  }

  T value() { return static_cast<T>(random_.uniform(-1, 1)); }
  template <class Number>
  static Rows<T> lay(Guarded<T>& memory, std::size_t m, std::size_t n, std::size_t stride, Side side, Number number) {
    return {memory.lay(side, m, n, stride, number), stride};
  }
  const T* column(Guarded<T>& memory, std::size_t n, Side side) {
    return memory.put(side, random_.template uniforms<T>(n, -1, 1));
  }

  const kernels::NormalizeKernels<T>& kernel_;
  bool fused_;
  static constexpr std::size_t kRoom = kRows * (kLargest + 5);
  Guarded<T> x_{kRoom}, y_{kRoom}, dy_{kRoom}, dx_{kRoom};
  Guarded<T> mean_{kLargest}, squares_{kLargest}, scale_{kLargest}, shift_{kLargest};
  Random random_{11};
};

// A column far from 0: the sum of squares keeps its digits, which E[x^2] - E[x]^2 would not. With u = eps / 2, m - 1
// additions and the division give |mean - exact| <= m u max|x|, whose square counts m times; each of m squares has
// three roundings and m more on its way through the chain.
template <class T>
double error_far_from_zero(const kernels::NormalizeKernels<T>& kernel) {
  constexpr std::size_t m = 1000;
  const std::vector<T> x = Random(12).uniforms<T>(m, 999, 1001);
  T mean, squares;
  kernel.moments(m, 1, x.data(), 1, &mean, &squares);
  Real exact = 0, want = 0;
  for (T value : x) exact += value / static_cast<Real>(m);
  for (T value : x) want += (value - exact) * (value - exact);
  const Real u = eps<T>() / 2, off = m * u * 1001;
  return std::max(share(mean, exact, off), share(squares, want, m * off * off + (m + 3) * u * want));
}

template <class T>
void check(const Isa& isa, Report& report) {
  const auto& kernel = isa.tables->get<T>().normalize;
  NormalizeCheck<T> normalize(kernel, std::string(isa.name) != "baseline");
  report.start(isa, type_name<T>(), "normalize, columns 1..150");
  bool good = true;
  for (std::size_t n = 1; n <= kLargest && good; ++n)
    for (std::size_t m : {std::size_t{1}, std::size_t{2}, kRows})
      for (Side side : {Side::low, Side::high})
        good = good && normalize.matches(m, n, side, false) && normalize.matches(m, n, side, true);
  report.finish(good ? 0 : HUGE_VAL);
  report.start(isa, type_name<T>(), "moments of numbers near 1000");
  report.finish(error_far_from_zero(kernel));
}

}  // namespace

void check_normalize(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
