// Activations forward and backward, sums and multiples, at every size of a row, between forbidden pages, in place and
// with a NaN in every lane. exp, log, tanh and sigmoid themselves: math_check.cpp.
#include <span>

#include "checks.h"

namespace nnext::testing {
namespace {

constexpr Real kArgument = 0.125;

// A value, and the size of the terms that make it.
struct Sized {
  Real value, size;
};
Sized product(Real value) { return {value, std::fabs(value)}; }

// What a row of the kernel table must compute: f(x), and f' told from what its backward is told from.
struct Reference {
  const char* name;
  Real (*forward)(Real x);
  Sized (*derivative)(Real from);
};
const Reference kReferences[] = {
    {"identity", [](Real x) { return x; }, [](Real) { return product(1); }},
    {"relu", [](Real x) { return x < 0 ? 0 : x; }, [](Real y) { return product(y > 0 ? 1 : 0); }},
    {"leaky_relu", [](Real x) { return x < 0 ? kArgument * x : x; },
     [](Real y) { return product(y > 0 ? 1 : kArgument); }},
    {"tanh", [](Real x) { return std::tanh(x); }, [](Real y) { return product((1 - y) * (1 + y)); }},
    {"sigmoid", [](Real x) { return 1 / (1 + std::exp(-x)); }, [](Real y) { return product(y * (1 - y)); }},
};

template <class T>
double worst_error(const kernels::ActivationKernels<T>& kernel, const Reference& reference) {
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
      kernel.forward(n, T(kArgument), x, y);
      for (std::size_t i = 0; i < n; ++i) {
        const Real want = reference.forward(x[i]);
        worst = std::max(worst, share(y[i], want, 2.5L * eps<T>() * std::fabs(want)));
      }
      const T* dy = dy_memory.put(side, random.uniforms<T>(n, -3, 3));
      T* dx = dx_memory.at(side, n);
      const T* from = kernel.from_x ? x : y;
      kernel.backward(n, T(kArgument), from, dy, dx);
      for (std::size_t i = 0; i < n; ++i) {
        const Sized want = reference.derivative(from[i]);
        worst = std::max(worst, share(dx[i], dy[i] * want.value, 2 * eps<T>() * std::fabs(dy[i]) * want.size));
      }
      // In place the bits are the same: dx over dy, then y over x.
      T* gradient = dy_memory.at(side, n);
      kernel.backward(n, T(kArgument), from, gradient, gradient);
      T* again = x_memory.put(side, values);
      kernel.forward(n, T(kArgument), again, again);
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
    kernel.forward(n, T(kArgument), input.data(), output.data());
    for (std::size_t i = 0; i < n; ++i) wrong += std::isnan(output[i]) != (i == lane);
    kernel.backward(n, T(kArgument), ones.data(), input.data(), output.data());
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

template <class T>
void check(const Isa& isa, Report& report) {
  const kernels::ElementwiseKernels<T>& elementwise = isa.tables->get<T>().elementwise;
  for (const auto& kernel : std::span(elementwise.activations, elementwise.activation_count)) {
    report.start(isa, type_name<T>(), std::string(kernel.name) + " and its gradient");
    const auto* reference = std::find_if(std::begin(kReferences), std::end(kReferences),
                                         [&](const Reference& row) { return std::string(row.name) == kernel.name; });
    const bool known = reference != std::end(kReferences);  // an activation without its row fails
    report.finish(known ? std::max(worst_error(kernel, *reference), stray_nans(kernel)) : HUGE_VAL);
  }
  report.start(isa, type_name<T>(), "add and scale");
  report.finish(sums_and_multiples_match(elementwise) ? 0 : HUGE_VAL);
}

}  // namespace

void check_elementwise(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
