// Update rules: three steps against the rules in long double, at every size, between
// forbidden pages, NaN in every lane.
#include "checks.h"

namespace nnext::testing {
namespace {

constexpr std::size_t kLargest = 70;
constexpr int kSteps = 3;
enum class Rule { sgd, momentum, nesterov, adam, nadam, adagrad };
constexpr Rule kRules[] = {Rule::sgd, Rule::momentum, Rule::nesterov, Rule::adam, Rule::nadam, Rule::adagrad};
constexpr const char* kNames[] = {"sgd", "sgd with momentum", "sgd with nesterov", "adam", "nadam", "adagrad"};

template <class T>
struct Steps {
  kernels::SgdStep<T> sgd{.lr = T(0.1), .momentum = T(0.9), .weight_decay = T(0.01), .nesterov = false};
  kernels::AdamStep<T> adam{.step_size = T(0.002),
                            .beta1 = T(0.9),
                            .beta2 = T(0.99),
                            .one_minus_beta1 = T(0.1),
                            .one_minus_beta2 = T(0.01),
                            .inverse_sqrt_correction = T(3),
                            .eps = T(1e-8),
                            .weight_decay = T(0.01)};
  kernels::NAdamStep<T> nadam{.gradient_size = T(0.001),
                              .momentum_size = T(0.002),
                              .beta1 = T(0.9),
                              .beta2 = T(0.99),
                              .one_minus_beta1 = T(0.1),
                              .one_minus_beta2 = T(0.01),
                              .inverse_sqrt_correction = T(3),
                              .eps = T(1e-8),
                              .weight_decay = T(0.01)};
  kernels::AdagradStep<T> adagrad{.lr = T(0.1), .eps = T(1e-10), .weight_decay = T(0.01)};
};

// One parameter and the memory of its rule.
struct Parameter {
  Real w, first, second;
};

template <class T>
Parameter step(Rule rule, const Steps<T>& steps, Parameter p, Real g) {
  switch (rule) {
    case Rule::adam: {
      const auto& s = steps.adam;
      g += s.weight_decay * p.w;
      p.first = s.beta1 * p.first + s.one_minus_beta1 * g;
      p.second = s.beta2 * p.second + s.one_minus_beta2 * g * g;
      p.w -= s.step_size * p.first / (std::sqrt(p.second) * s.inverse_sqrt_correction + s.eps);
      return p;
    }
    case Rule::nadam: {
      const auto& s = steps.nadam;
      g += s.weight_decay * p.w;
      p.first = s.beta1 * p.first + s.one_minus_beta1 * g;
      p.second = s.beta2 * p.second + s.one_minus_beta2 * g * g;
      const Real divisor = std::sqrt(p.second) * s.inverse_sqrt_correction + s.eps;
      p.w -= s.gradient_size * g / divisor + s.momentum_size * p.first / divisor;
      return p;
    }
    case Rule::adagrad: {
      const auto& s = steps.adagrad;
      g += s.weight_decay * p.w;
      p.first += g * g;
      p.w -= s.lr * g / (std::sqrt(p.first) + s.eps);
      return p;
    }
    default: {
      const auto& s = steps.sgd;
      g += s.weight_decay * p.w;
      p.first = s.momentum * p.first + g;
      const Real move = rule == Rule::sgd ? g : rule == Rule::nesterov ? g + s.momentum * p.first : p.first;
      p.w -= s.lr * move;
      return p;
    }
  }
}

template <class T>
void run(const kernels::UpdateKernels<T>& kernel, Rule rule, Steps<T> steps, std::size_t n, T* w, const T* g, T* first,
         T* second) {
  steps.sgd.nesterov = rule == Rule::nesterov;
  if (rule == Rule::adam)
    kernel.adam(n, steps.adam, w, g, first, second);
  else if (rule == Rule::nadam)
    kernel.nadam(n, steps.nadam, w, g, first, second);
  else if (rule == Rule::adagrad)
    kernel.adagrad(n, steps.adagrad, w, g, first);
  else
    kernel.sgd(n, steps.sgd, w, g, rule == Rule::sgd ? nullptr : first);
}

template <class T>
double worst_error(const kernels::UpdateKernels<T>& kernel, Rule rule) {
  Guarded<T> w_memory(kLargest), g_memory(kLargest), first_memory(kLargest), second_memory(kLargest);
  Random random(8);
  double worst = 0;
  for (std::size_t n = 0; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high}) {
      T *w = w_memory.put(side, random.uniforms<T>(n, -1, 1)), *first = first_memory.put(side, std::vector<T>(n)),
        *second = second_memory.put(side, std::vector<T>(n));
      std::vector<Parameter> wanted(n);
      for (std::size_t i = 0; i < n; ++i) wanted[i] = {w[i], 0, 0};
      for (int count = 0; count < kSteps; ++count) {
        const T* g = g_memory.put(side, random.uniforms<T>(n, 0.1, 1));  // one sign: nothing cancels
        run(kernel, rule, Steps<T>{}, n, w, g, first, second);
        for (std::size_t i = 0; i < n; ++i) wanted[i] = step(rule, Steps<T>{}, wanted[i], g[i]);
      }
      for (std::size_t i = 0; i < n; ++i) {
        worst = std::max(worst, share(w[i], wanted[i].w, 4 * kSteps * eps<T>()));  // |w| and |lr g| are about 1
        if (rule != Rule::sgd)
          worst = std::max(worst, share(first[i], wanted[i].first, 4 * kSteps * eps<T>() * wanted[i].first));
        if (rule == Rule::adam || rule == Rule::nadam)
          worst = std::max(worst, share(second[i], wanted[i].second, 4 * kSteps * eps<T>() * wanted[i].second));
      }
    }
  return worst;
}

template <class T>
double stray_nans(const kernels::UpdateKernels<T>& kernel, Rule rule) {
  constexpr std::size_t n = 37;
  std::size_t wrong = 0;
  for (std::size_t lane = 0; lane < n; ++lane) {
    std::vector<T> w(n, 1), g(n, 1), first(n), second(n);
    g[lane] = std::numeric_limits<T>::quiet_NaN();
    run(kernel, rule, Steps<T>{}, n, w.data(), g.data(), first.data(), second.data());
    for (std::size_t i = 0; i < n; ++i) wrong += std::isnan(w[i]) != (i == lane);
  }
  return wrong == 0 ? 0 : HUGE_VAL;
}

template <class T>
void check(const Isa& isa, Report& report) {
  const auto& kernel = isa.tables->get<T>().update;
  for (Rule rule : kRules) {
    report.start(isa, type_name<T>(), kNames[static_cast<int>(rule)]);
    report.finish(std::max(worst_error(kernel, rule), stray_nans(kernel, rule)));
  }
}

}  // namespace

void check_update(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
