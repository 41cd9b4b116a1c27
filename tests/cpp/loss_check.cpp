// Losses of rows and their gradients against the formulas, at every row length, in place and with a NaN in every lane.
#include <span>

#include "checks.h"

namespace nnext::testing {
namespace {

constexpr float kArgument = 0.75;
constexpr std::size_t kRows = 35, kLargest = 40;  // more rows than a block of cross_entropy has

// One output's share of a row's loss and its gradient, each with the size of the terms that make it.
struct Term {
  Real loss, loss_size, gradient, gradient_size;
};

Term mse(Real y, Real t) { return {(y - t) * (y - t), (y - t) * (y - t), 2 * (y - t), 2 * std::fabs(y - t)}; }
Term huber(Real y, Real t) {
  const Real distance = y - t, size = std::fabs(distance);
  if (size <= kArgument) return {size * size / 2, size * size / 2, distance, size};
  const Real loss = kArgument * (size - kArgument / 2);
  return {loss, loss, std::copysign(kArgument, distance), kArgument};
}
Term mae(Real y, Real t) { return {std::fabs(y - t), std::fabs(y - t), std::copysign(1.0L, y - t), 1}; }
Term quantile(Real y, Real t) {
  const Real slope = y > t ? 1 - Real(kArgument) : -Real(kArgument);
  return {slope * (y - t), slope * (y - t), slope, std::fabs(slope)};
}
Term log_cosh(Real y, Real t) {
  const Real sinh = std::sinh((y - t) / 2), loss = std::log1p(2 * sinh * sinh), slope = std::tanh(y - t);
  return {loss, 2 * loss, slope, std::fabs(slope)};
}
Term poisson(Real y, Real t) {
  const Real mean = std::exp(y);
  return {mean - t * y, mean + std::fabs(t * y), mean - t, mean + t};
}
Term gamma(Real y, Real t) {
  const Real ratio = t * std::exp(-y);
  return {y + ratio, std::fabs(y) + ratio, 1 - ratio, 1 + ratio};
}
Term hinge(Real y, Real t) {
  const Real sign = t > 0 ? 1 : -1, loss = std::max(1 - sign * y, 0.0L);
  return {loss, 1 + std::fabs(y), loss > 0 ? -sign : 0, 1};
}
// What gamma |log miss| adds to the bound is here the size of the terms, 10 times.
Term focal(Real y, Real t) {
  const Real p = 1 / (1 + std::exp(-y)), not_p = 1 / (1 + std::exp(y)), miss = p * (1 - t) + not_p * t;
  const Real entropy = (1 - t) * std::log1p(std::exp(y)) + t * std::log1p(std::exp(-y));
  const Real power = std::pow(miss, Real(kArgument)), relative = p * not_p * (1 - 2 * t) / miss;
  const Real size = p * (1 - t) + not_p * t + kArgument * entropy * std::fabs(relative);
  return {entropy * power, 10 * entropy * power, power * (p * (1 - t) - not_p * t + kArgument * entropy * relative),
          10 * power * size};
}
Term bce(Real y, Real t) {
  const Real yes = std::max(std::log(y), -100.0L), no = std::max(std::log1p(-y), -100.0L);
  const Real divisor = std::max(y * (1 - y), 1e-12L);
  return {-t * yes - (1 - t) * no, std::fabs(t * yes) + std::fabs((1 - t) * no), (y - t) / divisor,
          std::fabs(y - t) / divisor};
}
Term bce_with_logits(Real y, Real t) {
  const Real loss = std::log1p(std::exp(-std::fabs(y))) + std::max(y, 0.0L) - t * y, p = 1 / (1 + std::exp(-y));
  return {loss, loss, p - t, p + std::fabs(t)};
}

// Where the values of a loss lie.
struct Ranges {
  double y_low, y_high, t_low, t_high;
};

template <class T>
class LossCheck {
 public:
  LossCheck(const kernels::LossKernel<T>& kernel, bool quick) : kernel_(kernel), every_(quick ? 3 : 1) {}

  double means(Term (*term)(Real, Real), Ranges ranges) {
    worst_ = 0;
    run(ranges, dense({.first = kArgument, .second = -1}),
        [&](std::size_t n, std::size_t row, T got, const T* gradient) {
          Real sum = 0, size = 0;
          for (std::size_t j = 0; j < n; ++j) {
            const Term one = term(y_values_[row * n + j], t_values_[row * n + j]);
            sum += one.loss, size += one.loss_size;
            const Real scale = scales_[row] / static_cast<Real>(n);
            compare(gradient[j], scale * one.gradient, 6 * eps<T>() * std::fabs(scale) * one.gradient_size);
          }
          const Real terms = static_cast<Real>(n);
          compare(got, sum / terms, (6 + terms / 16) * eps<T>() * size / terms);
        });
    return worst_;
  }

  double cross_entropy() {
    worst_ = 0;
    run({-20, 20, 0, 1}, dense({}), [&](std::size_t n, std::size_t row, T got, const T* gradient) {
      compare_cross_entropy(n, row, t_values_.data() + row * n, got, gradient);
    });
    return worst_;
  }

  // With labels, smoothed and weighted or not.
  double cross_entropy_indexed(bool adjusted) {
    worst_ = 0;
    std::vector<std::int32_t> labels(kRows);
    std::vector<T> targets;
    const auto loss = [&](std::size_t m, std::size_t n, const T* y, const T*, const T* scale, T* losses, T* dy) {
      for (std::size_t row = 0; row < m; ++row) labels[row] = static_cast<std::int32_t>(row * 7 % n);
      kernel_.indexed(m, n, settings(n, adjusted), y, labels.data(), scale, losses, dy);
    };
    run({-20, 20, 0, 0}, loss, [&](std::size_t n, std::size_t row, T got, const T* gradient) {
      targets.assign(n, 0);
      targets[static_cast<std::size_t>(labels[row])] = 1;
      if (adjusted) adjust(targets);
      compare_cross_entropy(n, row, targets.data(), got, gradient);
    });
    return worst_;
  }
  double cross_entropy_adjusted() {
    worst_ = 0;
    const auto loss = [&](std::size_t m, std::size_t n, const T* y, const T* t, const T* scale, T* losses, T* dy) {
      kernel_.dense(m, n, settings(n, true), y, t, scale, losses, dy);
    };
    run({-20, 20, 0, 1}, loss, [&](std::size_t n, std::size_t row, T got, const T* gradient) {
      std::vector<T> targets(t_values_.begin() + row * n, t_values_.begin() + (row + 1) * n);
      adjust(targets);
      compare_cross_entropy(n, row, targets.data(), got, gradient);
    });
    return worst_;
  }

 private:
  static constexpr T kSmoothing = T(0.25);
  static T weight_of(std::size_t j) { return static_cast<T>(j % 5) / 2; }

  // Weights that end where a guard page begins.
  kernels::LossSettings<T> settings(std::size_t n, bool adjusted) {
    if (!adjusted) return {};
    std::vector<T> weights(n);
    for (std::size_t j = 0; j < n; ++j) weights[j] = weight_of(j);
    return {.first = kSmoothing, .weights = weight_.put(Side::high, weights), .weight_count = n};
  }
  static void adjust(std::vector<T>& targets) {
    const Real even = Real(kSmoothing) / static_cast<Real>(targets.size());
    for (std::size_t j = 0; j < targets.size(); ++j)
      targets[j] = static_cast<T>(weight_of(j) * ((1 - Real(kSmoothing)) * targets[j] + even));
  }

  auto dense(kernels::LossSettings<T> settings) const {
    return [=, this](std::size_t m, std::size_t n, const T* y, const T* t, const T* scale, T* losses, T* dy) {
      kernel_.dense(m, n, settings, y, t, scale, losses, dy);
    };
  }
  void compare(Real got, Real want, Real allowed) { worst_ = std::max(worst_, share(got, want, allowed)); }

  // Runs a loss at every row length, with and without gradient and in place, and hands its rows to `compare_row`.
  template <class Loss, class Compare>
  void run(Ranges ranges, Loss loss, Compare compare_row) {
    for (std::size_t n = 1; n <= kLargest; n += every_)
      for (Side side : {Side::low, Side::high}) {
        y_values_ = random_.uniforms<T>(kRows * n, ranges.y_low, ranges.y_high);
        t_values_ = random_.uniforms<T>(kRows * n, ranges.t_low, ranges.t_high);
        scales_ = random_.uniforms<T>(kRows, 0.5, 2);
        T* y = y_.put(side, y_values_);
        const T *t = t_.put(side, t_values_), *scale = scale_.put(side, scales_);
        T *losses = loss_.at(side, kRows), *dy = dy_.at(side, kRows * n);
        loss(kRows, n, y, t, scale, losses, dy);
        for (std::size_t row = 0; row < kRows; ++row) compare_row(n, row, losses[row], dy + row * n);
        const std::vector<T> first(losses, losses + kRows), gradient(dy, dy + kRows * n);
        loss(kRows, n, y, t, nullptr, losses, nullptr);
        if (!std::equal(first.begin(), first.end(), losses)) worst_ = HUGE_VAL;
        loss(kRows, n, y, t, scale, losses, y);
        if (!std::equal(first.begin(), first.end(), losses)) worst_ = HUGE_VAL;
        if (!std::equal(gradient.begin(), gradient.end(), y)) worst_ = HUGE_VAL;
        for (std::size_t j = 0; j < n; ++j) stray_nan(side, n, (j % kRows) * n + j, loss);
      }
  }

  template <class Loss>
  void stray_nan(Side side, std::size_t n, std::size_t place, Loss loss) {
    T *y = y_.put(side, y_values_), *losses = loss_.at(side, kRows), *dy = dy_.at(side, kRows * n);
    y[place] = std::numeric_limits<T>::quiet_NaN();
    loss(kRows, n, y, t_.at(side, kRows * n), scale_.at(side, kRows), losses, dy);
    for (std::size_t row = 0; row < kRows; ++row)
      if (std::isnan(losses[row]) != (row == place / n)) worst_ = HUGE_VAL;
    for (std::size_t e = 0; e < kRows * n; ++e) {
      if (e / n != place / n && std::isnan(dy[e])) worst_ = HUGE_VAL;
      if (e == place && !std::isnan(dy[e])) worst_ = HUGE_VAL;
    }
  }

  // Rounding y - max costs |y - max| eps / 2 of e^(y - max).
  void compare_cross_entropy(std::size_t n, std::size_t row, const T* t, T got, const T* gradient) {
    const T* y = y_values_.data() + row * n;
    const Real max = *std::max_element(y, y + n), few = 6 + static_cast<Real>(n) / 16;
    Real sum = 0, targets = 0, want = 0;
    for (std::size_t j = 0; j < n; ++j) sum += std::exp(y[j] - max), targets += t[j];
    for (std::size_t j = 0; j < n; ++j) {
      want += t[j] * (std::log(sum) - (y[j] - max));
      const Real p = std::exp(y[j] - max) / sum, size = (1 + max - y[j]) * p * targets + t[j];
      compare(gradient[j], scales_[row] * (p * targets - t[j]), few * eps<T>() * scales_[row] * size);
    }
    compare(got, want, few * eps<T>() * (want + targets));
  }

  const kernels::LossKernel<T>& kernel_;
  std::size_t every_;
  Guarded<T> y_{kRows * kLargest}, t_{kRows * kLargest}, scale_{kRows}, loss_{kRows}, dy_{kRows * kLargest};
  Guarded<T> weight_{kLargest};
  std::vector<T> y_values_, t_values_, scales_;
  Random random_{5};
  double worst_ = 0;
};

// What a row of the kernel table must compute as a mean over the outputs, and where its values lie.
struct Reference {
  const char* name;
  Term (*term)(Real y, Real t);
  Ranges ranges;
};
constexpr Reference kMeans[] = {
    {"mse", mse, {-2, 2, -2, 2}},
    {"huber", huber, {-2, 2, -2, 2}},
    {"mae", mae, {-2, 2, -2, 2}},
    {"log_cosh", log_cosh, {-2, 2, -2, 2}},
    {"quantile", quantile, {-2, 2, -2, 2}},
    {"poisson", poisson, {-5, 5, 0, 9}},
    {"gamma", gamma, {-5, 5, 0.1, 9}},
    {"focal", focal, {-20, 20, 0, 1}},
    {"hinge", hinge, {-2, 2, -1, 1}},
    {"bce", bce, {0.01, 0.99, 0, 1}},
    {"bce_with_logits", bce_with_logits, {-20, 20, 0, 1}},
};

template <class T>
double worst_error(const kernels::LossKernel<T>& kernel, bool quick) {
  LossCheck<T> check(kernel, quick);
  for (const Reference& reference : kMeans)
    if (std::string(reference.name) == kernel.name) return check.means(reference.term, reference.ranges);
  if (std::string(kernel.name) == "cross_entropy")
    return std::max({check.cross_entropy(), check.cross_entropy_indexed(false), check.cross_entropy_indexed(true),
                     check.cross_entropy_adjusted()});
  // How far any other is from the exact value, the tables of the Python tests say; here it is run all the same.
  const auto anything = [](Real, Real) { return Term{0, HUGE_VAL, 0, HUGE_VAL}; };
  return check.means(anything, {-2, 2, 0, 1});
}

template <class T>
void check(const Isa& isa, bool quick, Report& report) {
  const kernels::LossKernels<T>& table = isa.tables->get<T>().loss;
  for (const auto& kernel : std::span(table.losses, table.loss_count)) {
    report.start(isa, type_name<T>(), kernel.name);
    report.finish(worst_error(kernel, quick));
  }
}

}  // namespace

void check_loss(const Isa& isa, bool quick, Report& report) {
  check<float>(isa, quick, report);
  check<double>(isa, quick, report);
}

}  // namespace nnext::testing
