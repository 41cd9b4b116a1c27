// Update rules: three steps against the rules in long double, at every size, between
// forbidden pages, NaN in every lane.
#include "checks.h"

namespace nnext::testing {
namespace {

constexpr std::size_t kLargest = 70;
constexpr int kSteps = 3, kMemories = 3;

// One parameter and the memory of its rule.
struct Parameter {
  Real w, memory[kMemories];
};

// n parameters; step is counted from 0.
template <class T>
struct Call {
  const kernels::UpdateKernels<T>& kernel;
  int step;
  std::size_t n;
  T *w, *g;
  T* memory[kMemories];
};

template <class T>
struct Rule {
  const char* name;
  int memories;
  void (*run)(const Call<T>&);
  void (*step)(Parameter& p, Real g, int step);  // the same in long double
};

template <class T>
constexpr kernels::SgdStep<T> sgd_step(double share, bool nesterov) {
  return {T(0.1), T(0.9), T(0.01), T(share), nesterov};
}
template <class T>
constexpr kernels::MomentsStep<T> moments_step(double decay, double keep) {
  return {T(0.9), T(0.99), T(0.1), T(0.01), T(3), T(1e-8), T(decay), T(keep)};
}
template <class T>
struct Steps {
  static constexpr T limit = T(0.5), l1 = T(0.01);
  static constexpr auto sgd = sgd_step<T>(1, false), nesterov = sgd_step<T>(1, true),
                        dampened = sgd_step<T>(0.75, false);
  static constexpr auto moments = moments_step<T>(0.01, 1), decoupled = moments_step<T>(0, 0.99);
  static constexpr kernels::AdamStep<T> adam{moments, T(0.002)}, adamw{decoupled, T(0.002)};
  static constexpr kernels::NAdamStep<T> nadam{moments, T(0.001), T(0.002)};
  static constexpr kernels::AdagradStep<T> adagrad{T(0.1), T(1e-10), T(0.01)};
  static constexpr kernels::RmsPropStep<T> rmsprop{T(0.1), T(0.9), T(0.1), T(1e-8), T(0.5), T(0.01)};
  static constexpr kernels::AdadeltaStep<T> adadelta{T(1), T(0.9), T(0.1), T(1e-6), T(0.01)};
  static constexpr kernels::LionStep<T> lion{T(0.01), T(0.9), T(0.99), T(0.1), T(0.01), T(0.99)};
  static constexpr kernels::RpropStep<T> rprop{T(0.5), T(1.25), T(1e-6), T(0.12), T(0.01), T(0.1), false};
};

Real sign(Real x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

template <class T>
void sgd(Parameter& p, Real g, const kernels::SgdStep<T>& s, bool plain) {
  g += s.weight_decay * p.w;
  if (!plain) p.memory[0] = s.momentum * p.memory[0] + s.share * g;
  p.w -= s.lr * (plain ? g : s.nesterov ? g + s.momentum * p.memory[0] : p.memory[0]);
}

// Returns the divisor.
template <class T>
Real moments(Parameter& p, Real& g, const kernels::MomentsStep<T>& s, bool largest = false) {
  g += s.weight_decay * p.w;
  p.w *= s.keep;
  p.memory[0] = s.beta1 * p.memory[0] + s.one_minus_beta1 * g;
  p.memory[1] = s.beta2 * p.memory[1] + s.one_minus_beta2 * g * g;
  if (largest) p.memory[2] = std::max(p.memory[2], p.memory[1]);
  return std::sqrt(p.memory[largest ? 2 : 1]) * s.inverse_sqrt_correction + s.eps;
}

template <class T>
void rmsprop(Parameter& p, Real g, const kernels::RmsPropStep<T>& s, bool momentum, bool centered) {
  g += s.weight_decay * p.w;
  p.memory[0] = s.alpha * p.memory[0] + s.one_minus_alpha * g * g;
  if (centered) p.memory[2] = s.alpha * p.memory[2] + s.one_minus_alpha * g;
  const Real move = g / (std::sqrt(p.memory[0] - p.memory[2] * p.memory[2]) + s.eps);
  if (momentum) p.memory[1] = s.momentum * p.memory[1] + move;
  p.w -= s.lr * (momentum ? p.memory[1] : move);
}

template <class T>
void adadelta(Parameter& p, Real g, const kernels::AdadeltaStep<T>& s) {
  g += s.weight_decay * p.w;
  p.memory[0] = s.rho * p.memory[0] + s.one_minus_rho * g * g;
  const Real move = std::sqrt(p.memory[1] + s.eps) / std::sqrt(p.memory[0] + s.eps) * g;
  p.memory[1] = s.rho * p.memory[1] + s.one_minus_rho * move * move;
  p.w -= s.lr * move;
}

template <class T>
void rprop(Parameter& p, Real g, const kernels::RpropStep<T>& s, int step) {
  g += s.weight_decay * p.w;
  const Real turn = g * p.memory[0], size = step == 0 ? s.start : p.memory[1];
  p.memory[1] = std::clamp<Real>(size * (turn > 0 ? s.grow : turn < 0 ? s.shrink : 1), s.smallest, s.largest);
  p.memory[0] = turn < 0 ? 0 : g;
  p.w -= sign(p.memory[0]) * p.memory[1];
}

template <class T>
const Rule<T> kRules[] = {
    {"clipping and l1", 0,
     [](const Call<T>& c) {
       c.kernel.prepare(c.n, Steps<T>::limit, Steps<T>::l1, c.w, c.g);
       c.kernel.sgd(c.n, Steps<T>::sgd, c.w, c.g, nullptr);
     },
     [](Parameter& p, Real g, int) {
       sgd(p, std::clamp<Real>(g, -Steps<T>::limit, Steps<T>::limit) + Steps<T>::l1 * sign(p.w), Steps<T>::sgd, true);
     }},
    {"sgd", 0, [](const Call<T>& c) { c.kernel.sgd(c.n, Steps<T>::sgd, c.w, c.g, nullptr); },
     [](Parameter& p, Real g, int) { sgd(p, g, Steps<T>::sgd, true); }},
    {"sgd with momentum", 1, [](const Call<T>& c) { c.kernel.sgd(c.n, Steps<T>::sgd, c.w, c.g, c.memory[0]); },
     [](Parameter& p, Real g, int) { sgd(p, g, Steps<T>::sgd, false); }},
    {"sgd with nesterov", 1, [](const Call<T>& c) { c.kernel.sgd(c.n, Steps<T>::nesterov, c.w, c.g, c.memory[0]); },
     [](Parameter& p, Real g, int) { sgd(p, g, Steps<T>::nesterov, false); }},
    {"sgd with dampening", 1, [](const Call<T>& c) { c.kernel.sgd(c.n, Steps<T>::dampened, c.w, c.g, c.memory[0]); },
     [](Parameter& p, Real g, int) { sgd(p, g, Steps<T>::dampened, false); }},
    {"adam", 2,
     [](const Call<T>& c) { c.kernel.adam(c.n, Steps<T>::adam, c.w, c.g, c.memory[0], c.memory[1], nullptr); },
     [](Parameter& p, Real g, int) {
       const Real divisor = moments(p, g, Steps<T>::moments);
       p.w -= Steps<T>::adam.step_size * p.memory[0] / divisor;
     }},
    {"decoupled adam with the largest v", 3,
     [](const Call<T>& c) { c.kernel.adam(c.n, Steps<T>::adamw, c.w, c.g, c.memory[0], c.memory[1], c.memory[2]); },
     [](Parameter& p, Real g, int) {
       const Real divisor = moments(p, g, Steps<T>::decoupled, true);
       p.w -= Steps<T>::adamw.step_size * p.memory[0] / divisor;
     }},
    {"nadam", 2, [](const Call<T>& c) { c.kernel.nadam(c.n, Steps<T>::nadam, c.w, c.g, c.memory[0], c.memory[1]); },
     [](Parameter& p, Real g, int) {
       const Real divisor = moments(p, g, Steps<T>::moments);
       p.w -= (Steps<T>::nadam.gradient_size * g + Steps<T>::nadam.momentum_size * p.memory[0]) / divisor;
     }},
    {"adagrad", 1, [](const Call<T>& c) { c.kernel.adagrad(c.n, Steps<T>::adagrad, c.w, c.g, c.memory[0]); },
     [](Parameter& p, Real g, int) {
       g += Steps<T>::adagrad.weight_decay * p.w;
       p.memory[0] += g * g;
       p.w -= Steps<T>::adagrad.lr * g / (std::sqrt(p.memory[0]) + Steps<T>::adagrad.eps);
     }},
    {"rmsprop", 1,
     [](const Call<T>& c) { c.kernel.rmsprop(c.n, Steps<T>::rmsprop, c.w, c.g, c.memory[0], nullptr, nullptr); },
     [](Parameter& p, Real g, int) { rmsprop(p, g, Steps<T>::rmsprop, false, false); }},
    {"centered rmsprop with momentum", 3,
     [](const Call<T>& c) {
       c.kernel.rmsprop(c.n, Steps<T>::rmsprop, c.w, c.g, c.memory[0], c.memory[1], c.memory[2]);
     },
     [](Parameter& p, Real g, int) { rmsprop(p, g, Steps<T>::rmsprop, true, true); }},
    {"adadelta", 2,
     [](const Call<T>& c) { c.kernel.adadelta(c.n, Steps<T>::adadelta, c.w, c.g, c.memory[0], c.memory[1]); },
     [](Parameter& p, Real g, int) { adadelta(p, g, Steps<T>::adadelta); }},
    {"lion", 1, [](const Call<T>& c) { c.kernel.lion(c.n, Steps<T>::lion, c.w, c.g, c.memory[0]); },
     [](Parameter& p, Real g, int) {
       const auto& s = Steps<T>::lion;
       p.w = s.keep * p.w - s.lr * sign(s.beta1 * p.memory[0] + s.one_minus_beta1 * g);
       p.memory[0] = s.beta2 * p.memory[0] + s.one_minus_beta2 * g;
     }},
    {"rprop", 2,
     [](const Call<T>& c) {
       auto step = Steps<T>::rprop;
       step.first = c.step == 0;
       c.kernel.rprop(c.n, step, c.w, c.g, c.memory[0], c.memory[1]);
     },
     [](Parameter& p, Real g, int step) { rprop(p, g, Steps<T>::rprop, step); }},
};

template <class T>
double worst_error(const kernels::UpdateKernels<T>& kernel, const Rule<T>& rule) {
  Guarded<T> w_memory(kLargest), g_memory(kLargest),
      memories[kMemories] = {Guarded<T>(kLargest), Guarded<T>(kLargest), Guarded<T>(kLargest)};
  Random random(8);
  double worst = 0;
  for (std::size_t n = 0; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high}) {
      Call<T> call{kernel, 0, n, w_memory.put(side, random.uniforms<T>(n, -1, 1)), nullptr, {}};
      for (int i = 0; i < kMemories; ++i) call.memory[i] = memories[i].put(side, std::vector<T>(n));
      std::vector<Parameter> wanted(n);
      for (std::size_t i = 0; i < n; ++i) wanted[i] = {call.w[i], {}};
      for (call.step = 0; call.step < kSteps; ++call.step) {
        const std::vector<T> g = random.uniforms<T>(n, 0.1, 1);  // one sign: nothing cancels
        call.g = g_memory.put(side, g);
        rule.run(call);
        for (std::size_t i = 0; i < n; ++i) rule.step(wanted[i], g[i], call.step);
      }
      for (std::size_t i = 0; i < n; ++i) {
        worst = std::max(worst, share(call.w[i], wanted[i].w, 4 * kSteps * eps<T>()));  // |w| and |lr g| are about 1
        for (int k = 0; k < rule.memories; ++k) {
          const Real memory = wanted[i].memory[k];
          worst = std::max(worst, share(call.memory[k][i], memory, 4 * kSteps * eps<T>() * std::abs(memory)));
        }
      }
    }
  return worst;
}

template <class T>
double stray_nans(const kernels::UpdateKernels<T>& kernel, const Rule<T>& rule) {
  constexpr std::size_t n = 37;
  std::size_t wrong = 0;
  for (std::size_t lane = 0; lane < n; ++lane) {
    std::vector<T> w(n, 1), g(n, 1), memories[kMemories] = {std::vector<T>(n), std::vector<T>(n), std::vector<T>(n)};
    g[lane] = std::numeric_limits<T>::quiet_NaN();
    rule.run({kernel, 0, n, w.data(), g.data(), {memories[0].data(), memories[1].data(), memories[2].data()}});
    for (std::size_t i = 0; i < n; ++i) wrong += std::isnan(w[i]) != (i == lane);
  }
  return wrong == 0 ? 0 : HUGE_VAL;
}

// What rules do where a gradient turns, is 0 or is beyond a limit, and a weight 0.
template <class T>
bool corners(const kernels::UpdateKernels<T>& kernel) {
  T w[] = {0, T(-0.0), 2, -2}, g[] = {3, -3, T(0.25), 0};
  kernel.prepare(4, T(0.5), T(0.125), w, g);
  bool good = g[0] == T(0.5) && g[1] == T(-0.5) && g[2] == T(0.375) && g[3] == T(-0.125);
  // It keeps its sign, turns, was left out, or is 0.
  T slope[] = {1, -1, -1, 0}, before[] = {1, 1, 0, 1}, size[] = {T(0.1), T(0.1), T(0.1), T(0.1)}, v[4] = {};
  auto step = Steps<T>::rprop;
  step.weight_decay = 0;
  kernel.rprop(4, step, v, slope, before, size);
  good &= size[0] == step.largest && size[1] == T(0.1) * step.shrink && size[2] == T(0.1) && size[3] == T(0.1);
  good &= v[0] == -size[0] && v[1] == 0 && v[2] == size[2] && v[3] == 0 && before[1] == 0 && before[2] == -1;
  T still = 0, none = 0, mean = 0;
  kernel.lion(1, Steps<T>::lion, &still, &none, &mean);
  return good && still == 0;
}

// A gradient that is an outer product, applied without being written, against the same written, and the next row's
// product with what becomes of the weights: same bits, and nothing beyond the columns changes.
template <class T>
bool outer(const kernels::KernelTable<T>& kernels) {
  const kernels::UpdateKernels<T>& kernel = kernels.update;
  const std::size_t panel = kernels.gemm.panel();
  Random random(9);
  std::size_t wrong = 0;
  for (const std::size_t rows : {1, 2, 5})
    for (std::size_t cols = 1; cols <= kLargest; ++cols) {
      const std::size_t width = cols + cols % 3;
      const std::vector<T> x = random.uniforms<T>(rows, -1, 1), dy = random.uniforms<T>(cols, -1, 1);
      std::vector<T> w = random.uniforms<T>(rows * width, -1, 1), wanted = w, g(cols);
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < cols; ++j) g[j] = x[i] * dy[j];
        kernel.sgd(cols, Steps<T>::sgd, wanted.data() + i * width, g.data(), nullptr);
      }
      const std::vector<T> before = w, next = random.uniforms<T>(rows, -1, 1), init = random.uniforms<T>(cols, -1, 1);
      for (const T* from : {static_cast<const T*>(nullptr), init.data()}) {
        std::vector<T> y(cols + 1, 7), wanted_y(cols + 1, 7);
        std::vector<T> weights(wanted.size() + panel);  // products read whole vectors of a panel
        std::copy(wanted.begin(), wanted.end(), weights.begin());
        for (std::size_t j = 0; j < cols; j += panel)
          kernels.gemm.multiply_row({.n = std::min(panel, cols - j),
                                     .k = rows,
                                     .width = width,
                                     .a = next.data(),
                                     .b = weights.data() + j,
                                     .init = from == nullptr ? nullptr : from + j,
                                     .c = wanted_y.data() + j});
        w = before;
        kernel.sgd_outer({rows, cols, width, x.data(), dy.data()}, Steps<T>::sgd, {next.data(), from, y.data()},
                         w.data());
        wrong += w != wanted || y != wanted_y;
      }
      w = before;
      kernel.sgd_outer({rows, cols, width, x.data(), dy.data()}, Steps<T>::sgd, {}, w.data());
      wrong += w != wanted;
    }
  return wrong == 0;
}

template <class T>
void check(const Isa& isa, Report& report) {
  const auto& kernel = isa.tables->get<T>().update;
  for (const Rule<T>& rule : kRules<T>) {
    report.start(isa, type_name<T>(), rule.name);
    report.finish(std::max(worst_error(kernel, rule), stray_nans(kernel, rule)));
  }
  report.start(isa, type_name<T>(), "corners of update rules");
  report.finish(corners(kernel));
  report.start(isa, type_name<T>(), "sgd with an outer product");
  report.finish(outer(isa.tables->get<T>()));
}

}  // namespace

void check_update(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
