// exp, log, log1p, tanh, sigmoid and gelu: a few ULP over all numbers, and exact where the answer is known.
#include <functional>

#include "checks.h"
#include "exact_activations.h"
#include "ops/activation.h"
#include "ops/loss.h"

namespace nnext::testing {
namespace {

template <class T>
using Kernel = std::function<void(const kernels::KernelTable<T>&, std::size_t, const T*, T*)>;

// The type in which f is computed to compare with.
template <class T>
using Wide = std::conditional_t<sizeof(T) == 4, double, Real>;

// A function, the range where its values vary, pairs (x, f(x)) that must be met exactly, and how many ULP it may be
// off.
template <class T>
struct Function {
  const char* name;
  Kernel<T> run;
  Wide<T> (*exact)(Wide<T>);
  double low, high;
  std::vector<std::pair<T, T>> pairs;
  double (*ulps)(double x) = [](double) { return 2.5; };
};

// log1p is seen through bce: with one output y = -x and target 0 a row's loss is -log(1 - y) = -log1p(x), x in (-1, 0].
template <class T>
void log1p_by_bce(const kernels::KernelTable<T>& table, std::size_t n, const T* x, T* y) {
  std::vector<T> negated(n), zeros(n);
  for (std::size_t i = 0; i < n; ++i) negated[i] = -x[i];
  ops::find_loss(table, "bce").dense(n, 1, 0, negated.data(), zeros.data(), nullptr, y, nullptr);
  for (std::size_t i = 0; i < n; ++i) y[i] = -y[i];
}

template <class W>
W softplus_up_to_20(W x) {
  return x > 20 ? x : softplus(x);
}
// An activation whose alpha or beta is 1, and its threshold 20.
template <class T>
Kernel<T> activation(const char* name) {
  return [name](const kernels::KernelTable<T>& table, std::size_t n, const T* x, T* y) {
    ops::find_activation(table, name).forward(n, {1, 20}, x, y);
  };
}

template <class T>
std::vector<Function<T>> functions() {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const double top = std::log(std::numeric_limits<T>::max()), bottom = std::log(std::numeric_limits<T>::denorm_min());
  return {
      {"exp",
       [](const auto& table, auto n, const T* x, T* y) { table.elementwise.exp(n, x, y); },
       std::exp,
       bottom - 2,
       top + 2,
       {{0, 1}, {T(-0.0), 1}, {inf, inf}, {-inf, 0}, {nan, nan}, {T(2 * top), inf}, {T(2 * bottom), 0}}},
      {"log",
       [](const auto& table, auto n, const T* x, T* y) { table.elementwise.log(n, x, y); },
       std::log,
       0,
       3,
       {{0, -inf}, {T(-0.0), -inf}, {1, 0}, {inf, inf}, {-1, nan}, {-inf, nan}, {nan, nan}}},
      {"log1p", log1p_by_bce<T>, std::log1p, -1, 0, {{-1, -100}, {T(-1e-30), T(-1e-30)}, {nan, nan}}},
      {"tanh",
       activation<T>("tanh"),
       std::tanh,
       -10,
       10,
       {{0, 0}, {T(-0.0), T(-0.0)}, {inf, 1}, {-inf, -1}, {nan, nan}, {100, 1}, {T(1e-30), T(1e-30)}}},
      {"sigmoid",
       activation<T>("sigmoid"),
       sigmoid<Wide<T>>,
       -30,
       30,
       {{0, T(0.5)}, {T(-0.0), T(0.5)}, {inf, 1}, {-inf, 0}, {nan, nan}, {1000, 1}}},
      {"elu",
       activation<T>("elu"),
       elu<Wide<T>>,
       -40,
       1,
       {{0, 0}, {T(-0.0), T(-0.0)}, {inf, inf}, {-inf, -1}, {nan, nan}, {-1000, -1}, {T(-1e-30), T(-1e-30)}}},
      {"softplus",
       activation<T>("softplus"),
       softplus_up_to_20<Wide<T>>,
       bottom - 2,
       25,
       {{inf, inf}, {-inf, 0}, {nan, nan}, {1000, 1000}, {T(2 * bottom), 0}}},
      {"silu",
       activation<T>("silu"),
       silu<Wide<T>>,
       bottom - 10,
       top,
       {{0, 0}, {T(-0.0), T(-0.0)}, {inf, inf}, {-inf, T(-0.0)}, {nan, nan}, {1000, 1000}, {T(2 * bottom), T(-0.0)}},
       [](double) { return 3.5; }},
      {"mish",
       activation<T>("mish"),
       mish<Wide<T>>,
       bottom - 10,
       top,
       {{0, 0}, {T(-0.0), T(-0.0)}, {inf, inf}, {-inf, T(-0.0)}, {nan, nan}, {1000, 1000}, {T(2 * bottom), T(-0.0)}},
       [](double) { return 4.5; }},
      {"hardswish",
       activation<T>("hardswish"),
       hardswish<Wide<T>>,
       -4,
       4,
       {{0, 0}, {T(-0.0), T(-0.0)}, {inf, inf}, {-inf, 0}, {nan, nan}, {-3, 0}, {3, 3}},
       [](double) { return 3.0; }},
      {"softsign",
       activation<T>("softsign"),
       softsign<Wide<T>>,
       -10,
       10,
       {{0, 0}, {T(-0.0), T(-0.0)}, {inf, 1}, {-inf, -1}, {nan, nan}, {1, T(0.5)}},
       [](double) { return 1.5; }},
      {"gelu",
       activation<T>("gelu"),
       gelu<Wide<T>>,
       sizeof(T) == 4 ? -15 : -40,
       sizeof(T) == 4 ? 9 : 20,
       {{0, 0}, {T(-0.0), T(-0.0)}, {inf, inf}, {-inf, T(-0.0)}, {nan, nan}, {100, 100}, {-100, T(-0.0)}},
       [](double) { return 7.0; }},
      {"gelu_tanh",
       activation<T>("gelu_tanh"),
       gelu_tanh<Wide<T>>,
       sizeof(T) == 4 ? -12 : -24,
       sizeof(T) == 4 ? 9 : 20,
       {{0, 0}, {T(-0.0), T(-0.0)}, {inf, inf}, {-inf, T(-0.0)}, {nan, nan}, {100, 100}, {-100, T(-0.0)}},
       [](double x) { return 3 * (1 + std::fabs(gelu_tanh_exponent(x))); }},
  };
}

// Every other sample has random bits (all exponents, denormals, NaN, infinities), the others lie where f varies.
template <class T>
T sample(Random& random, const Function<T>& f, std::size_t i) {
  if (i % 2 == 0) return static_cast<T>(random.uniform(f.low, f.high));
  const auto bits = static_cast<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>(random.bits());
  return __builtin_bit_cast(T, bits);
}

// The largest error of each instruction set as a share of what is allowed; what they are compared with is computed
// once.
template <class T>
std::vector<double> worst_shares(const std::vector<Isa>& isas, const Function<T>& f, std::size_t samples) {
  constexpr std::size_t kChunk = 1021;  // leaves a part of a vector
  Random random(2);
  std::vector<T> x(kChunk), y(kChunk);
  std::vector<Wide<T>> want(kChunk);
  std::vector<double> worst(isas.size());
  for (std::size_t done = 0; done < samples; done += kChunk) {
    for (std::size_t i = 0; i < kChunk; ++i) {
      x[i] = sample(random, f, i);
      if (f.low == -1) x[i] = std::fabs(x[i]) < 1 ? -std::fabs(x[i]) : T(-0.5);  // log1p, as far as bce tells it
      want[i] = f.exact(x[i]);
    }
    for (std::size_t isa = 0; isa < isas.size(); ++isa) {
      f.run(isas[isa].tables->get<T>(), kChunk, x.data(), y.data());
      for (std::size_t i = 0; i < kChunk; ++i) worst[isa] = std::max(worst[isa], ulps(y[i], want[i]) / f.ulps(x[i]));
    }
  }
  return worst;
}

template <class T>
bool meets(const kernels::KernelTable<T>& table, const Function<T>& f) {
  for (auto [x, want] : f.pairs) {
    T got;
    f.run(table, 1, &x, &got);
    if (ulps(got, Real(want)) != 0 || (!std::isnan(want) && std::signbit(got) != std::signbit(want))) return false;
  }
  return true;
}

template <class T>
void check(const std::vector<Isa>& isas, bool quick, Report& report) {
  const std::size_t samples = std::size_t{1} << (quick ? 14 : sizeof(T) == 4 ? 22 : 20);  // long double takes its time
  for (const Function<T>& f : functions<T>()) {
    const std::vector<double> worst = worst_shares(isas, f, samples);
    for (std::size_t isa = 0; isa < isas.size(); ++isa) {
      report.start(isas[isa], type_name<T>(), std::string(f.name) + " to a few ULP");
      report.finish(worst[isa]);
      report.start(isas[isa], type_name<T>(), std::string(f.name) + " of 0, infinity, NaN and beyond the range");
      report.finish(meets(isas[isa].tables->get<T>(), f) ? 0 : HUGE_VAL);
    }
  }
}

}  // namespace

void check_math(const std::vector<Isa>& isas, bool quick, Report& report) {
  check<float>(isas, quick, report);
  check<double>(isas, quick, report);
}

}  // namespace nnext::testing
