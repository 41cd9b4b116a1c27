// PReLU and its gradients: exact but for sums, with a weight for each channel and one for all, at every width, in place,
// between forbidden pages and with NaN.
#include "checks.h"

namespace nnext::testing {
namespace {

constexpr std::size_t kSamples = 2, kPlaces = 3, kLargest = 70;

template <class T>
class PReLUCheck {
 public:
  explicit PReLUCheck(const kernels::PReLUKernels<T>& kernel) : kernel_(kernel) {}

  double worst(std::size_t n, Side side, bool shared) {
    const std::size_t all = kSamples * kPlaces * n;
    std::vector<T> values = random_.uniforms<T>(all, -2, 2);
    values[all / 2] = 0;
    values[all / 3] = std::numeric_limits<T>::quiet_NaN();
    values[all / 4] = 1;
    std::vector<T> slopes = random_.template uniforms<T>(all, -1, 1);
    slopes[all / 4] = std::numeric_limits<T>::infinity();  // no term of a sum
    const T *x = x_.put(side, values), *w = weight_.put(side, random_.uniforms<T>(shared ? 1 : n, -1, 1));
    const T* dy = dy_.put(side, slopes);
    T *y = y_.at(side, all), *dx = dx_.at(side, all), *sums = sums_.at(side, kSamples * (shared ? 1 : n));
    kernel_.forward(kSamples * kPlaces, n, shared, w, x, y);
    kernel_.backward(kSamples, kPlaces, n, shared, w, x, dy, dx, sums);
    for (std::size_t i = 0; i < all; ++i) {
      const T weight = shared ? *w : w[i % n];
      const bool same_y = std::isnan(x[i]) ? std::isnan(y[i]) : y[i] == (x[i] > 0 ? x[i] : weight * x[i]);
      if (!same_y || dx[i] != (x[i] > 0 ? dy[i] : weight * dy[i])) return HUGE_VAL;
    }
    T *again = dy_.put(side, slopes), *over = x_.put(side, values);
    kernel_.backward(kSamples, kPlaces, n, shared, w, x, again, again, sums);
    kernel_.forward(kSamples * kPlaces, n, shared, w, over, over);
    if (std::memcmp(again, dx, all * sizeof(T)) != 0 || std::memcmp(over, y, all * sizeof(T)) != 0) return HUGE_VAL;
    return worst_sum(n, shared, values, slopes, sums);
  }

 private:
  // Each is a sum of at most so many products as there are numbers in a sample.
  double worst_sum(std::size_t n, bool shared, const std::vector<T>& x, const std::vector<T>& dy, const T* sums) {
    double most = 0;
    const std::size_t weights = shared ? 1 : n;
    for (std::size_t s = 0; s < kSamples; ++s)
      for (std::size_t j = 0; j < weights; ++j) {
        Real want = 0, size = 0;
        for (std::size_t i = j; i < kPlaces * n; i += weights) {
          const std::size_t at = s * kPlaces * n + i;
          if (!(x[at] > 0)) want += Real(x[at]) * dy[at], size += std::fabs(Real(x[at]) * dy[at]);
        }
        most = std::max(
            most, share(sums[s * weights + j], want, static_cast<Real>(kPlaces * n / weights + 1) * eps<T>() * size));
      }
    return most;
  }

  static constexpr std::size_t kAll = kSamples * kPlaces * kLargest;
  const kernels::PReLUKernels<T>& kernel_;
  Guarded<T> x_{kAll}, y_{kAll}, dy_{kAll}, dx_{kAll}, weight_{kLargest}, sums_{kSamples * kLargest};
  Random random_{41};
};

template <class T>
void check(const Isa& isa, Report& report) {
  report.start(isa, type_name<T>(), "prelu and its gradients, 1..70 channels");
  PReLUCheck<T> prelu(isa.tables->get<T>().prelu);
  double worst = 0;
  for (std::size_t n = 1; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high})
      for (bool shared : {false, true}) worst = std::max(worst, prelu.worst(n, side, shared));
  report.finish(worst);
}

}  // namespace

void check_prelu(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
