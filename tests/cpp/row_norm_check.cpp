// Rows brought to mean 0 and variance 1, or to a mean square of 1, their gradients and those of weight and bias: within bounds of what the
// formulas give, at every width, in place, between forbidden pages and with a NaN.
#include "checks.h"

namespace nnext::testing {
namespace {

constexpr std::size_t kRows = 5, kLargest = 150;

// In long double, for one row of x.
struct Exact {
  Real mean = 0, inverse = 0;
  template <class T>
  Exact(const T* x, std::size_t n, Real eps, bool centred) {
    Real squares = 0;
    for (std::size_t j = 0; centred && j < n; ++j) mean += x[j] / static_cast<Real>(n);
    for (std::size_t j = 0; j < n; ++j) squares += (x[j] - mean) * (x[j] - mean);
    inverse = 1 / std::sqrt(squares / static_cast<Real>(n) + eps);
  }
  Real hat(Real x) const { return (x - mean) * inverse; }
};

template <class T>
class RowNormCheck {
 public:
  RowNormCheck(const kernels::RowNormKernels<T>& kernels, bool centred) : kernels_(kernels), centred_(centred) {}

  // The largest error as a share of (n + 8) roundings of numbers of the size that there are: |xhat| <= sqrt(n), and the
  // others lie within 1.
  double worst(std::size_t n, Side side, bool affine) {
    const auto numbers = [&](Guarded<T>& to, std::size_t count) {
      return to.put(side, random_.template uniforms<T>(count, -1, 1));
    };
    const T *x = numbers(x_, kRows * n), *dy = numbers(dy_, kRows * n), *weight = numbers(weight_, n);
    const T* bias = numbers(bias_, n);
    if (!affine) weight = bias = nullptr;
    T *y = y_.at(side, kRows * n), *dx = dx_.at(side, kRows * n), *moments = moments_.at(side, 2 * kRows);
    kernels_.forward(kRows, n, kEps, x, weight, bias, moments, y);
    kernels_.backward(kRows, n, x, moments, weight, dy, dx);
    double most = 0;
    const Real size = std::sqrt(static_cast<Real>(n)) / std::sqrt(Real(kEps)) / 10 + 1;
    const Real allowed = static_cast<Real>(n + 8) * eps<T>() * size;
    for (std::size_t i = 0; i < kRows; ++i) {
      const Exact row(x + i * n, n, kEps, centred_);
      Real sum = 0, dot = 0;
      const auto slope = [&](std::size_t j) { return dy[i * n + j] * (affine ? Real(weight[j]) : 1); };
      for (std::size_t j = 0; j < n; ++j)
        sum += slope(j) / static_cast<Real>(n), dot += slope(j) * row.hat(x[i * n + j]) / static_cast<Real>(n);
      if (!centred_) sum = 0;
      for (std::size_t j = 0; j < n; ++j) {
        const Real hat = row.hat(x[i * n + j]);
        most = std::max(most, share(y[i * n + j], affine ? hat * weight[j] + bias[j] : hat, allowed));
        most = std::max(most, share(dx[i * n + j], row.inverse * (slope(j) - sum - hat * dot), allowed * row.inverse));
      }
    }
    return std::max(most, weights(n, x, dy, moments, allowed));
  }

  bool in_place_and_nan(std::size_t n, Side side) {
    std::vector<T> x = random_.template uniforms<T>(2 * n, -1, 1);
    x[n] = std::numeric_limits<T>::quiet_NaN();  // of the second row alone
    T *y = y_.put(side, x), *moments = moments_.at(side, 4);
    std::vector<T> apart(2 * n);
    kernels_.forward(2, n, kEps, x.data(), nullptr, nullptr, moments, apart.data());
    kernels_.forward(2, n, kEps, y, nullptr, nullptr, moments, y);
    for (std::size_t j = 0; j < n; ++j)
      if (y[j] != apart[j] || !std::isnan(y[n + j]) || std::isnan(y[j])) return false;
    return true;
  }

 private:
  double weights(std::size_t n, const T* x, const T* dy, const T* moments, Real allowed) {
    double most = 0;
    for (const bool of_weight : {true, false}) {
      std::vector<T> sum(n, T(0.5));  // goes on from there
      kernels_.weight_sums(kRows, n, n, of_weight ? x : nullptr, moments, dy, sum.data());
      for (std::size_t j = 0; j < n; ++j) {
        Real want = 0.5;
        for (std::size_t i = 0; i < kRows; ++i)
          want += dy[i * n + j] * (of_weight ? Exact(x + i * n, n, kEps, centred_).hat(x[i * n + j]) : 1);
        most = std::max(most, share(sum[j], want, allowed * (kRows + 2)));
      }
    }
    return most;
  }

  static constexpr T kEps = T(0.01);
  const kernels::RowNormKernels<T>& kernels_;
  bool centred_;
  Guarded<T> x_{kRows * kLargest}, y_{kRows * kLargest}, dy_{kRows * kLargest}, dx_{kRows * kLargest};
  Guarded<T> weight_{kLargest}, bias_{kLargest}, moments_{2 * kRows};
  Random random_{31};
};

template <class T>
double worst(RowNormCheck<T>&& norm) {
  double most = 0;
  bool good = true;
  for (std::size_t n = 1; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high}) {
      most = std::max({most, norm.worst(n, side, true), norm.worst(n, side, false)});
      good = good && norm.in_place_and_nan(n, side);
    }
  return good ? most : HUGE_VAL;
}

template <class T>
void check(const Isa& isa, Report& report) {
  const kernels::KernelTable<T>& table = isa.tables->get<T>();
  report.start(isa, type_name<T>(), "rows normalised, 1..150 numbers");
  report.finish(worst(RowNormCheck<T>(table.row_norm, true)));
  report.start(isa, type_name<T>(), "rows divided by their root mean square, 1..150 numbers");
  report.finish(worst(RowNormCheck<T>(table.rms_norm, false)));
}

}  // namespace

void check_row_norm(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
