// Activations forward and backward, sums and multiples, at every size of a row, between forbidden pages, in place and
// with a NaN in every lane. Those with an exponential over all numbers: math_check.cpp.
#include <span>

#include "checks.h"
#include "exact_activations.h"

namespace nnext::testing {
namespace {

constexpr Real kFirst = 0.125, kSecond = 0.75, kPi = 3.141592653589793238462643L;
template <class T>
constexpr kernels::ActivationArguments<T> kArguments{T(kFirst), T(kSecond)};

// A value, and how far from it a result may be, in eps. An activation without a row below may be anywhere here: how far
// from the exact value it is, the tables of the Python tests say.
struct Wanted {
  Real value, error;
};
Wanted within(Real ulps, Real value) { return {value, ulps * std::fabs(value)}; }

// Phi(x) and x phi(x) of the normal distribution.
Wanted gelu_derivative(Real x) {
  if (std::fabs(x) > 45) return within(0, x > 0 ? 1 : 0);
  const Real below = std::erfc(-x * std::sqrt(0.5L)) / 2, rise = x * std::exp(-x * x / 2) / std::sqrt(2 * kPi);
  return {below + rise, 4 * (below + std::fabs(rise))};
}
// What rounding the exponent z costs grows with it.
Wanted gelu_tanh_derivative(Real x) {
  if (std::fabs(x) > 45) return within(0, x > 0 ? 1 : 0);
  const Real z = gelu_tanh_exponent(x), slope = 2 * std::sqrt(2 / kPi) * (1 + 3 * 0.044715L * x * x);
  const Real rise = x * sigmoid(-z) * slope;
  return {sigmoid(z) * (1 + rise), 2 * (1 + std::fabs(z)) * sigmoid(z) * (1 + std::fabs(rise))};
}

constexpr Real kDepth = 1.7580993408473768599402175208123193L, kScale = 1.0507009873554804934193349852946L;  // of selu
Real finite(Real x) { return std::fmin(std::fmax(x, -11000), 11000); }  // where e^x is neither 0 nor infinite
Wanted silu_derivative(Real x) {
  x = finite(x);
  const Real rise = x * sigmoid(-x);
  return {sigmoid(x) * (1 + rise), 3 * sigmoid(x) * (1 + std::fabs(rise))};
}
Wanted mish_derivative(Real x) {
  x = finite(x);
  const MishShare<Real> share(x);
  const Real rise = x * share.derivative;
  return {share.value + rise, 4 * (share.value + std::fabs(rise))};
}

// What a row of the kernel table must compute: f(x), and f' told from what its backward is told from.
struct Reference {
  const char* name;
  Wanted (*forward)(Real x);
  Wanted (*derivative)(Real from);
};
const Reference kReferences[] = {
    {"identity", [](Real x) { return within(0, x); }, [](Real) { return within(0, 1); }},
    {"relu", [](Real x) { return within(0, x < 0 ? 0 : x); }, [](Real y) { return within(0, y > 0 ? 1 : 0); }},
    {"leaky_relu", [](Real x) { return within(0.5L, x < 0 ? kFirst * x : x); },
     [](Real y) { return within(0.5L, y > 0 ? 1 : kFirst); }},
    {"hardtanh", [](Real x) { return within(0, std::fmin(std::fmax(x, kFirst), kSecond)); },
     [](Real y) { return within(0, y > kFirst && y < kSecond ? 1 : 0); }},
    {"hardswish", [](Real x) { return within(3, hardswish(x)); },
     [](Real x) {
       return Wanted{x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5L, Real(std::fabs(x) < 3)};
     }},
    {"tanh", [](Real x) { return within(2.5L, std::tanh(x)); }, [](Real y) { return within(1.5L, (1 - y) * (1 + y)); }},
    {"sigmoid", [](Real x) { return within(2.5L, sigmoid(x)); }, [](Real y) { return within(1.5L, y * (1 - y)); }},
    {"softsign", [](Real x) { return within(1.5L, softsign(x)); },
     [](Real x) { return within(3, 1 / ((1 + std::fabs(x)) * (1 + std::fabs(x)))); }},
    {"elu", [](Real x) { return within(2.5L, (x < 0 ? kFirst : 1) * elu(x)); },
     [](Real y) { return within(0.5L, y > 0 ? 1 : y + kFirst); }},
    {"selu", [](Real x) { return within(2.5L, (x < 0 ? kDepth : kScale) * elu(x)); },
     [](Real y) { return Wanted{y > 0 ? kScale : y + kDepth, 1.76L}; }},
    {"softplus", [](Real x) { return within(2.5L, kFirst * x > kSecond ? x : softplus(kFirst * x) / kFirst); },
     [](Real x) { return within(2.5L, kFirst * x > kSecond ? 1 : sigmoid(kFirst * x)); }},
    {"silu", [](Real x) { return within(3.5L, silu(x)); }, silu_derivative},
    {"mish", [](Real x) { return within(4.5L, mish(x)); }, mish_derivative},
    {"gelu", [](Real x) { return within(7, gelu(x)); }, gelu_derivative},
    {"gelu_tanh", [](Real x) { return within(3 * (1 + std::fabs(gelu_tanh_exponent(x))), gelu_tanh(x)); },
     gelu_tanh_derivative},
};

// A gradient for dy: one more rounding, or an underflow.
template <class T>
double gradient_share(T got, T dy, Wanted derivative) {
  const Real allowed = eps<T>() * std::fabs(dy) * (derivative.error + std::fabs(derivative.value) / 2);
  return share(got, dy * derivative.value, allowed + std::numeric_limits<T>::denorm_min());
}

template <class T>
double worst_error(const kernels::ActivationKernels<T>& kernel, const Reference& reference) {
  constexpr std::size_t kLargest = 70;
  Guarded<T> x_memory(kLargest), y_memory(kLargest), dy_memory(kLargest), dx_memory(kLargest);
  Random random(3);
  double worst = 0;
  for (std::size_t n = 0; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high}) {
      std::vector<T> values = random.uniforms<T>(n, -9, 9);
      if (n > 2) values[n / 2] = 0;
      const T* x = x_memory.put(side, values);
      T* y = y_memory.at(side, n);
      kernel.forward(n, kArguments<T>, x, y);
      for (std::size_t i = 0; i < n; ++i) {
        const Wanted want = reference.forward(x[i]);
        worst = std::max(worst, share(y[i], want.value, eps<T>() * want.error));
      }
      const T* dy = dy_memory.put(side, random.uniforms<T>(n, -3, 3));
      T* dx = dx_memory.at(side, n);
      const T* from = kernel.from_x ? x : y;
      kernel.backward(n, kArguments<T>, from, dy, dx);
      for (std::size_t i = 0; i < n; ++i)
        worst = std::max(worst, gradient_share(dx[i], dy[i], reference.derivative(from[i])));
      // In place the bits are the same: dx over dy, then y over x.
      T* gradient = dy_memory.at(side, n);
      kernel.backward(n, kArguments<T>, from, gradient, gradient);
      T* again = x_memory.put(side, values);
      kernel.forward(n, kArguments<T>, again, again);
      if (!std::equal(y, y + n, again) || !std::equal(dx, dx + n, gradient)) return HUGE_VAL;
    }
  return worst;
}

// Gradients told from x are finite wherever f is flat or straight, and up to its ends.
template <class T>
double worst_at_ends(const kernels::ActivationKernels<T>& kernel, const Reference& reference) {
  using Limits = std::numeric_limits<T>;
  double worst = 0;
  for (const T size : {T(0), Limits::denorm_min(), T(14), T(16), T(38), T(50), Limits::max(), Limits::infinity()})
    for (const T x : {size, -size}) {
      const T dy = 1;
      T dx;
      kernel.backward(1, kArguments<T>, &x, &dy, &dx);
      worst = std::max(worst, gradient_share(dx, dy, reference.derivative(x)));
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
    kernel.forward(n, kArguments<T>, input.data(), output.data());
    for (std::size_t i = 0; i < n; ++i) wrong += std::isnan(output[i]) != (i == lane);
    kernel.backward(n, kArguments<T>, ones.data(), input.data(), output.data());
    for (std::size_t i = 0; i < n; ++i) wrong += std::isnan(output[i]) != (i == lane);
    input[lane] = T(0.5);
  }
  return wrong == 0 ? 0 : HUGE_VAL;
}

// y = a + b and y = factor * x, in place too.
template <class T>
bool sums_and_multiples_match(const kernels::ElementwiseKernels<T>& kernel) {
  constexpr std::size_t kLargest = 70;
  Guarded<T> a_memory(kLargest), b_memory(kLargest), y_memory(kLargest);
  Random random(4);
  for (std::size_t n = 0; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high}) {
      const std::vector<T> x = random.uniforms<T>(n, -3, 3);
      T *a = a_memory.put(side, x), *b = b_memory.put(side, random.uniforms<T>(n, -3, 3)), *y = y_memory.at(side, n);
      if (n > 0) b[n / 2] = std::numeric_limits<T>::quiet_NaN();
      kernel.add(n, a, b, y);
      for (std::size_t i = 0; i < n; ++i)
        if (std::isnan(b[i]) ? !std::isnan(y[i]) : y[i] != a[i] + b[i]) return false;
      kernel.add(n, a, b, a);
      if (std::memcmp(a, y, n * sizeof(T)) != 0) return false;
      a = a_memory.put(side, x);
      kernel.add(n, a, b, b);
      if (std::memcmp(b, y, n * sizeof(T)) != 0) return false;
      if (n > 0) a[n / 2] = std::numeric_limits<T>::quiet_NaN();
      kernel.scale(n, T(0.3), a, y);
      for (std::size_t i = 0; i < n; ++i)
        if (std::isnan(a[i]) ? !std::isnan(y[i]) : y[i] != T(0.3) * a[i]) return false;
      kernel.scale(n, T(0.3), a, a);
      if (std::memcmp(a, y, n * sizeof(T)) != 0) return false;
    }
  return true;
}

// y = keep y + (1 - keep) x, and x where both are x, if there is an FMA; a NaN stays in its lane, finite numbers stay finite.
template <class T>
double worst_lerp(const kernels::ElementwiseKernels<T>& kernel, bool fused) {
  constexpr std::size_t kLargest = 70;
  Guarded<T> x_memory(kLargest), y_memory(kLargest);
  Random random(5);
  double worst = 0;
  for (const T keep : {T(0.999), T(0.5), T(0.1)})
    for (std::size_t n = 1; n <= kLargest; ++n)
      for (Side side : {Side::low, Side::high}) {
        std::vector<T> x = random.uniforms<T>(n, -3, 3), y = random.uniforms<T>(n, -3, 3);
        if (n > 1) x[0] = -std::numeric_limits<T>::max(), y[0] = std::numeric_limits<T>::max();
        x[n / 2] = std::numeric_limits<T>::quiet_NaN();
        T* to = y_memory.put(side, y);
        kernel.lerp(n, keep, x_memory.put(side, x), to);
        for (std::size_t i = 0; i < n; ++i) {
          const Real old = Real(keep) * y[i], share_of_x = (1 - Real(keep)) * x[i];
          if (i == n / 2)
            worst = std::isnan(to[i]) ? worst : HUGE_VAL;
          else
            worst = std::max(worst,
                             share(to[i], old + share_of_x, 2 * eps<T>() * (std::fabs(old) + std::fabs(share_of_x))));
        }
        to = y_memory.put(side, y);
        kernel.lerp(n, keep, to, to);
        if (fused && keep >= T(0.5) && !std::equal(y.begin(), y.end(), to)) return HUGE_VAL;
      }
  return worst;
}

template <class T>
void check(const Isa& isa, Report& report) {
  const kernels::ElementwiseKernels<T>& elementwise = isa.tables->get<T>().elementwise;
  for (const auto& kernel : std::span(elementwise.activations, elementwise.activation_count)) {
    report.start(isa, type_name<T>(), std::string(kernel.name) + " and its gradient");
    const auto* reference = std::find_if(std::begin(kReferences), std::end(kReferences),
                                         [&](const Reference& row) { return std::string(row.name) == kernel.name; });
    const bool known = reference != std::end(kReferences);
    const Reference anything{kernel.name, [](Real x) { return Wanted{x, HUGE_VAL}; },
                             [](Real) { return Wanted{1, HUGE_VAL}; }};
    report.finish(std::max(worst_error(kernel, known ? *reference : anything), stray_nans(kernel)));
    if (!known || !kernel.from_x) continue;
    report.start(isa, type_name<T>(), std::string(kernel.name) + "'s gradient near 0, far out and at infinity");
    report.finish(worst_at_ends(kernel, *reference));
  }
  report.start(isa, type_name<T>(), "add and scale");
  report.finish(sums_and_multiples_match(elementwise) ? 0 : HUGE_VAL);
  report.start(isa, type_name<T>(), "lerp");
  report.finish(worst_lerp(elementwise, std::string(isa.name) != "baseline"));
}

}  // namespace

void check_elementwise(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
