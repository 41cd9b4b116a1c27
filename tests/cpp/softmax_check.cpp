// Softmax of rows, its logarithm, and their gradients against the formulas, at every row length, in place and with a NaN in every lane.
#include "checks.h"

namespace nnext::testing {
namespace {

constexpr std::size_t kRows = 3, kLargest = 70;

template <class T>
class SoftmaxCheck {
 public:
  SoftmaxCheck(const kernels::SoftmaxKernels<T>& kernel, bool is_log) : kernel_(kernel), is_log_(is_log) {}

  double run() {
    for (std::size_t n = 1; n <= kLargest; ++n)
      for (Side side : {Side::low, Side::high}) {
        const std::vector<T> values = random_.uniforms<T>(kRows * n, -20, 20);
        const T* x = x_.put(side, values);
        T* y = y_.at(side, kRows * n);
        kernel_.forward(kRows, n, x, y);
        const T* dy = dy_.put(side, random_.uniforms<T>(kRows * n, -1, 1));
        T* dx = dx_.at(side, kRows * n);
        kernel_.backward(kRows, n, y, dy, dx);
        for (std::size_t row = 0; row < kRows; ++row) {
          forward(n, x + row * n, y + row * n);
          backward(n, y + row * n, dy + row * n, dx + row * n);
        }
        T* again = x_.put(side, values);
        kernel_.forward(kRows, n, again, again);
        if (!std::equal(y, y + kRows * n, again)) worst_ = HUGE_VAL;
        stray_nans(side, n, values);
      }
    return worst_;
  }

 private:
  // Rounding x - max costs |x - max| eps / 2 of the result, in the sum as well; exp, sum and product a few eps. So they
  // do of the logarithm, whose own size is rounded, too.
  void forward(std::size_t n, const T* x, const T* y) {
    const Real max = *std::max_element(x, x + n);
    Real sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += std::exp(x[j] - max);
    for (std::size_t j = 0; j < n; ++j) {
      const Real log = x[j] - max - std::log(sum), want = is_log_ ? log : std::exp(log);
      const Real allowed = (6 + static_cast<Real>(n) / 16 + (max - x[j])) * eps<T>();
      worst_ = std::max(worst_, share(y[j], want, allowed * (is_log_ ? 1 : want)));
    }
  }
  void backward(std::size_t n, const T* y, const T* dy, const T* dx) {
    Real sum = 0, magnitude = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const Real term = is_log_ ? Real(dy[j]) : Real(y[j]) * dy[j];
      sum += term, magnitude += std::fabs(term);
    }
    for (std::size_t j = 0; j < n; ++j) {
      const Real p = is_log_ ? std::exp(Real(y[j])) : Real(y[j]), size = std::fabs(Real(dy[j]));
      const Real want = is_log_ ? dy[j] - p * sum : p * (dy[j] - sum);
      const Real allowed =
          (2 + static_cast<Real>(n) / 16) * (is_log_ ? size + 2 * p * magnitude : p * (size + 2 * magnitude));
      worst_ = std::max(worst_, share(dx[j], want, allowed * eps<T>()));
    }
  }
  void stray_nans(Side side, std::size_t n, std::vector<T> values) {
    for (std::size_t e = 0; e < kRows * n; ++e) {
      const T before = std::exchange(values[e], std::numeric_limits<T>::quiet_NaN());
      T* y = y_.at(side, kRows * n);
      kernel_.forward(kRows, n, x_.put(side, values), y);
      for (std::size_t i = 0; i < kRows * n; ++i)
        if (std::isnan(y[i]) != (i / n == e / n)) worst_ = HUGE_VAL;
      values[e] = before;
    }
  }

  const kernels::SoftmaxKernels<T>& kernel_;
  bool is_log_;
  Guarded<T> x_{kRows * kLargest}, y_{kRows * kLargest}, dy_{kRows * kLargest}, dx_{kRows * kLargest};
  Random random_{4};
  double worst_ = 0;
};

template <class T>
void check(const Isa& isa, Report& report) {
  const kernels::KernelTable<T>& table = isa.tables->get<T>();
  report.start(isa, type_name<T>(), "softmax and its gradient");
  report.finish(SoftmaxCheck<T>(table.softmax, false).run());
  report.start(isa, type_name<T>(), "log_softmax and its gradient");
  report.finish(SoftmaxCheck<T>(table.log_softmax, true).run());
}

}  // namespace

void check_softmax(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
