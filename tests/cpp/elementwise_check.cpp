// Activations forward and backward, at every size of a row, between forbidden pages, in place and with a NaN in every
// lane. exp, log, tanh and sigmoid themselves: math_check.cpp.
#include "checks.h"

namespace nnext::testing {
namespace {

using kernels::Activation;

constexpr const char* kNames[] = {"identity", "relu", "leaky_relu", "tanh", "sigmoid"};
static_assert(std::size(kNames) == static_cast<std::size_t>(Activation::count));
constexpr Real kSlope = 0.125;

Real forward(int activation, Real x) {
  switch (static_cast<Activation>(activation)) {
    case Activation::relu:
      return x < 0 ? 0 : x;
    case Activation::leaky_relu:
      return x < 0 ? kSlope * x : x;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    default:
      return x;
  }
}
Real derivative(int activation, Real y) {
  switch (static_cast<Activation>(activation)) {
    case Activation::relu:
      return y > 0 ? 1 : 0;
    case Activation::leaky_relu:
      return y > 0 ? 1 : kSlope;
    case Activation::tanh:
      return (1 - y) * (1 + y);
    case Activation::sigmoid:
      return y * (1 - y);
    default:
      return 1;
  }
}

template <class T>
double worst_error(const kernels::ActivationKernels<T>& kernel, int activation) {
  constexpr std::size_t kLargest = 70;
  Guarded<T> x_memory(kLargest), y_memory(kLargest), dy_memory(kLargest), dx_memory(kLargest);
  Random random(3);
  double worst = 0;
  for (std::size_t n = 0; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high}) {
      std::vector<T> values = random.uniforms<T>(n, -3, 3);
      if (n > 2) values[n / 2] = 0;
      const T* x = x_memory.put(side, values);
      T* y = y_memory.at(side, n);
      kernel.forward(n, T(kSlope), x, y);
      for (std::size_t i = 0; i < n; ++i) {
        const Real want = forward(activation, x[i]);
        worst = std::max(worst, share(y[i], want, 2.5L * eps<T>() * std::fabs(want)));
      }
      const T* dy = dy_memory.put(side, random.uniforms<T>(n, -3, 3));
      T* dx = dx_memory.at(side, n);
      kernel.backward(n, T(kSlope), y, dy, dx);
      for (std::size_t i = 0; i < n; ++i) {
        const Real want = dy[i] * derivative(activation, y[i]);
        worst = std::max(worst, share(dx[i], want, 2 * eps<T>() * std::fabs(want)));
      }
      // In place the bits are the same: y over x, then dx over dy.
      T* again = x_memory.put(side, values);
      kernel.forward(n, T(kSlope), again, again);
      T* gradient = dy_memory.at(side, n);
      kernel.backward(n, T(kSlope), y, gradient, gradient);
      if (!std::equal(y, y + n, again) || !std::equal(dx, dx + n, gradient)) return HUGE_VAL;
    }
  return worst;
}

template <class T>
double stray_nans(const kernels::ActivationKernels<T>& kernel) {
  constexpr std::size_t n = 37;
  std::vector<T> ones(n, T(0.5)), input(ones), output(n);
  std::size_t wrong = 0;
  for (std::size_t lane = 0; lane < n; ++lane) {
    input[lane] = std::numeric_limits<T>::quiet_NaN();
    kernel.forward(n, T(kSlope), input.data(), output.data());
    for (std::size_t i = 0; i < n; ++i) wrong += std::isnan(output[i]) != (i == lane);
    kernel.backward(n, T(kSlope), ones.data(), input.data(), output.data());
    for (std::size_t i = 0; i < n; ++i) wrong += std::isnan(output[i]) != (i == lane);
    input[lane] = T(0.5);
  }
  return wrong == 0 ? 0 : HUGE_VAL;
}

template <class T>
void check(const Isa& isa, Report& report) {
  for (int activation = 0; activation < static_cast<int>(Activation::count); ++activation) {
    const auto& kernel = isa.tables->get<T>().elementwise.activations[activation];
    report.start(isa, type_name<T>(), std::string(kNames[activation]) + " and its gradient");
    report.finish(std::max(worst_error(kernel, activation), stray_nans(kernel)));
  }
}

}  // namespace

void check_elementwise(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
