#include "nn/initializer.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "ops/named.h"

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
    {"zeros", Kind::zeros},
    {"uniform", Kind::uniform, "low", "high"},
    {"normal", Kind::normal, "mean", "std"},
    {"he_uniform", Kind::he_uniform},
    {"he_normal", Kind::he_normal},
    {"glorot_uniform", Kind::glorot_uniform},
    {"glorot_normal", Kind::glorot_normal},
    {"lecun_normal", Kind::lecun_normal},
    {"fan_in_uniform", Kind::fan_in_uniform},
    {"orthogonal", Kind::orthogonal, "gain"},
};

// Every kind but orthogonal draws each element alone, from a uniform or a normal distribution (Box and Muller, 1958).
struct Distribution {
  bool normal;
  double a, b;  // low and high, or mean and standard deviation

  double draw(const core::PhiloxStream& stream, Size i) const {
    if (!normal) return a + (b - a) * stream.uniform(i);
    const double radius = std::sqrt(-2.0 * std::log(stream.uniform(2 * i)));
    return a + b * radius * std::cos(2.0 * std::numbers::pi * stream.uniform(2 * i + 1));
  }
};

Distribution within(double bound) { return {false, -bound, bound}; }
Distribution around_zero(double variance) { return {true, 0, std::sqrt(variance)}; }

Distribution distribution(const Initializer& initializer, double fan_in, double fan_out) {
  switch (initializer.kind) {
    case Kind::zeros:
      return {false, 0, 0};
    case Kind::uniform:
      return {false, initializer.a, initializer.b};
    case Kind::normal:
      return {true, initializer.a, initializer.b};
    case Kind::he_uniform:
      return within(std::sqrt(6.0 / fan_in));  // He et al., 2015
    case Kind::he_normal:
      return around_zero(2.0 / fan_in);
    case Kind::glorot_uniform:
      return within(std::sqrt(6.0 / (fan_in + fan_out)));  // Glorot and Bengio, 2010
    case Kind::glorot_normal:
      return around_zero(2.0 / (fan_in + fan_out));
    case Kind::lecun_normal:
      return around_zero(1.0 / fan_in);  // LeCun et al., 1998
    case Kind::fan_in_uniform:
      return within(1.0 / std::sqrt(fan_in));  // PyTorch's default for Linear
    case Kind::orthogonal:
      break;
  }
  return {true, 0, 1};
}

double dot(const double* a, const double* b, Size n) {
  double sum = 0;
  for (Size i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// Rows (or columns, where there are fewer) made orthonormal by Gram and Schmidt, twice for full precision.
// Saxe, McClelland and Ganguli, 2014.
template <class T>
void initialize_orthogonal(double gain, const Distribution& normal, const core::PhiloxStream& stream,
                           core::Matrix<T> values) {
  const core::Matrix<T> wide = values.rows <= values.cols ? values : values.transposed();
  const Size n = wide.cols;
  std::vector<double> q(wide.rows * n);
  for (Size i = 0; i < q.size(); ++i) q[i] = normal.draw(stream, i);
  for (Size i = 0; i < wide.rows; ++i) {
    double* row = q.data() + i * n;
    for (int pass = 0; pass < 2; ++pass)
      for (Size j = 0; j < i; ++j) {
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
  return {row.kind, field(row.a), field(row.b)};
}

template <class T>
void initialize(const Initializer& initializer, const core::PhiloxStream& stream, Size fan_in, Size fan_out,
                core::Matrix<T> values) {
  const Distribution from = distribution(initializer, static_cast<double>(fan_in), static_cast<double>(fan_out));
  if (initializer.kind == Kind::orthogonal) return initialize_orthogonal(initializer.a, from, stream, values);
  for (Size i = 0; i < values.rows; ++i)
    for (Size j = 0; j < values.cols; ++j) values(i, j) = static_cast<T>(from.draw(stream, i * values.cols + j));
}

template void initialize(const Initializer&, const core::PhiloxStream&, Size, Size, core::Matrix<float>);
template void initialize(const Initializer&, const core::PhiloxStream&, Size, Size, core::Matrix<double>);

}  // namespace nnext::nn
