#include "nn/initializer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <type_traits>
#include <vector>

#include "core/errors.h"
#include "ops/named.h"
#include "ops/random.h"

namespace nnext::nn {
namespace {

using Kind = Initializer::Kind;
using core::Size;

struct Row {
  const char* name;
  Kind kind;
  const char *a = nullptr, *b = nullptr;  // the fields of its parameters
};
constexpr Row kRows[] = {
    {"zeros", Kind::constant},
    {"ones", Kind::ones},
    {"constant", Kind::constant, "value"},
    {"uniform", Kind::uniform, "low", "high"},
    {"normal", Kind::normal, "mean", "std"},
    {"truncated_normal", Kind::truncated_normal, "mean", "std"},
    {"he_uniform", Kind::he_uniform, "negative_slope"},
    {"he_normal", Kind::he_normal, "negative_slope"},
    {"glorot_uniform", Kind::glorot_uniform, "gain"},
    {"glorot_normal", Kind::glorot_normal, "gain"},
    {"lecun_uniform", Kind::lecun_uniform},
    {"lecun_normal", Kind::lecun_normal},
    {"fan_in_uniform", Kind::fan_in_uniform},
    {"orthogonal", Kind::orthogonal, "gain"},
};

// Where the least number that a stream gives, 2^-33, leads to: sqrt(66 ln 2) standard deviations.
constexpr double kFarthest = 6.7638;

// Every kind but orthogonal draws each element alone, from a uniform or a normal distribution (Box and Muller, 1958).
struct Distribution {
  bool normal;
  double a, b;               // low and high, or mean and standard deviation
  double limit = kFarthest;  // of a normal one, in standard deviations

  double largest() const {
    if (normal) return std::abs(a) + std::abs(b) * limit;
    return std::isfinite(b - a) ? std::max(std::abs(a), std::abs(b)) : std::numeric_limits<double>::infinity();
  }
};

Distribution always(double value) { return {false, value, value}; }
Distribution within(double bound) { return {false, -bound, bound}; }
Distribution around_zero(double variance) { return {true, 0, std::sqrt(variance)}; }

Distribution distribution(const Initializer& initializer, double fan_in, double fan_out) {
  const double a = initializer.a, b = initializer.b;
  switch (initializer.kind) {
    case Kind::constant:
      return always(a);
    case Kind::ones:
      return always(1);
    case Kind::uniform:
      return {false, a, b};
    case Kind::normal:
      return {true, a, b};
    case Kind::truncated_normal:
      return {true, a, b, 2};  // as Keras' and TensorFlow's
    case Kind::he_uniform:
      return within(std::sqrt(6.0 / ((1 + a * a) * fan_in)));  // He et al., 2015
    case Kind::he_normal:
      return around_zero(2.0 / ((1 + a * a) * fan_in));
    case Kind::glorot_uniform:
      return within(a * std::sqrt(6.0 / (fan_in + fan_out)));  // Glorot and Bengio, 2010
    case Kind::glorot_normal:
      return {true, 0, a * std::sqrt(2.0 / (fan_in + fan_out))};
    case Kind::lecun_uniform:
      return within(std::sqrt(3.0 / fan_in));  // LeCun et al., 1998
    case Kind::lecun_normal:
      return around_zero(1.0 / fan_in);
    case Kind::fan_in_uniform:
      return within(1.0 / std::sqrt(fan_in));  // PyTorch's default for Linear
    case Kind::orthogonal:
      break;
  }
  return {true, 0, 1};
}

constexpr Size kLook = 1 << 14;  // numbers between two looks at the host: below 1 ms

double dot(const double* a, const double* b, Size n) {
  double sum = 0;
  for (Size i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

double normal(std::uint32_t u, std::uint32_t v) {
  using core::PhiloxStream;
  return std::sqrt(-2.0 * std::log(PhiloxStream::uniform_of(u))) *
         std::cos(2.0 * std::numbers::pi * PhiloxStream::uniform_of(v));
}

// Element i of `count` has words 2 i and 2 i + 1. What lies beyond the limit is drawn again, from words that no other
// element takes.
template <class T, class To>
void draw_normal(const kernels::NoiseKernels<T>& kernels, const Distribution& from, const core::PhiloxStream& stream,
                 Size count, To* to, runtime::Cancel& cancel) {
  std::array<std::uint32_t, 512> words;
  constexpr Size kAtOnce = words.size() / 2;
  static_assert(kLook % kAtOnce == 0);
  for (Size begin = 0; begin < count; begin += kAtOnce) {
    if (begin % kLook == 0 && cancel.poll()) return;
    const Size n = std::min(kAtOnce, count - begin);
    kernels.blocks(ops::random_stream(stream), begin / 2, (n + 1) / 2, words.data());
    for (Size i = 0; i < n; ++i) {
      double z = normal(words[2 * i], words[2 * i + 1]);
      for (Size again = begin + i + count; std::abs(z) > from.limit; again += count)
        z = normal(stream.word(2 * again), stream.word(2 * again + 1));
      to[begin + i] = static_cast<To>(from.a + from.b * z);
    }
  }
}

template <class T>
void draw_uniform(const kernels::NoiseKernels<T>& kernels, const Distribution& from, const core::PhiloxStream& stream,
                  Size count, T* to, runtime::Cancel& cancel) {
  for (Size begin = 0; begin < count && !cancel.poll(); begin += kLook)
    kernels.uniform(std::min(kLook, count - begin), from.a, from.b - from.a, ops::random_stream(stream), begin,
                    to + begin);
}

// Rows (or columns, where there are fewer) made orthonormal by Gram and Schmidt, twice for full precision.
// Saxe, McClelland and Ganguli, 2014.
template <class T>
void initialize_orthogonal(const kernels::NoiseKernels<T>& kernels, double gain, const Distribution& from,
                           const core::PhiloxStream& stream, core::Matrix<T> values, runtime::Cancel& cancel) {
  const core::Matrix<T> wide = values.rows <= values.cols ? values : values.transposed();
  const Size n = wide.cols, rows_per_look = std::max<Size>(kLook / std::max<Size>(n, 1), 1);
  std::vector<double> q(wide.rows * n);
  draw_normal(kernels, from, stream, q.size(), q.data(), cancel);
  for (Size i = 0; i < wide.rows; ++i) {
    double* row = q.data() + i * n;
    for (int pass = 0; pass < 2; ++pass)
      for (Size j = 0; j < i; ++j) {
        if (j % rows_per_look == 0 && cancel.poll()) return;
        const double* other = q.data() + j * n;
        const double projection = dot(row, other, n);
        for (Size c = 0; c < n; ++c) row[c] -= projection * other[c];
      }
    const double norm = std::sqrt(dot(row, row, n));
    for (Size c = 0; c < n; ++c) row[c] /= norm;
    for (Size c = 0; c < n; ++c) wide(i, c) = static_cast<T>(gain * row[c]);
  }
}

}  // namespace

Initializer make_initializer(const core::Config& config) {
  const Row& row = ops::find_named<Row>(kRows, "initializer", config.type());
  const auto field = [&](const char* name) { return name == nullptr ? 0 : config.number(name); };
  return {row.name, row.kind, field(row.a), field(row.b)};
}

template <class T>
void require_in_range(const char* initializer, double largest) {
  constexpr double limit = std::numeric_limits<T>::max();
  if (largest <= limit) return;
  constexpr bool single = std::is_same_v<T, float>;
  core::fail_value("[", initializer, "] start values may be as large as ", largest, " but the largest ",
                   single ? "float32" : "float64", " is ", limit, "; give smaller settings",
                   single ? ", or make the network with dtype=\"float64\"" : "");
}

template <class T>
void initialize(const kernels::NoiseKernels<T>& kernels, const Initializer& initializer,
                const core::PhiloxStream& stream, Size fan_in, Size fan_out, core::Matrix<T> values,
                runtime::Cancel& cancel) {
  const Distribution from = distribution(initializer, static_cast<double>(fan_in), static_cast<double>(fan_out));
  const bool orthogonal = initializer.kind == Kind::orthogonal;
  require_in_range<T>(initializer.name, orthogonal ? std::abs(initializer.a) : from.largest());
  if (orthogonal) return initialize_orthogonal(kernels, initializer.a, from, stream, values, cancel);
  const Size count = values.rows * values.cols;
  if (from.normal) return draw_normal(kernels, from, stream, count, values.data, cancel);
  draw_uniform(kernels, from, stream, count, values.data, cancel);
}

template void require_in_range<float>(const char*, double);
template void require_in_range<double>(const char*, double);
template void initialize(const kernels::NoiseKernels<float>&, const Initializer&, const core::PhiloxStream&, Size, Size,
                         core::Matrix<float>, runtime::Cancel&);
template void initialize(const kernels::NoiseKernels<double>&, const Initializer&, const core::PhiloxStream&, Size,
                         Size, core::Matrix<double>, runtime::Cancel&);

}  // namespace nnext::nn
