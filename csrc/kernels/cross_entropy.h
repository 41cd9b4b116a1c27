// The softmax cross-entropy of rows, for loss.kernel.cpp.
#pragma once

#include "kernels/simd/columns.h"
#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// Rows' targets as cross-entropy meets them: a weight t for every class, or one label whose t is 1. First of one row,
// then `Some`, those of up to kLanes short rows.
template <class T>
struct DenseTargets {
  const T* t;
  T sum(size_t n) const {
    return sum_of_row<T>(n, [&](size_t i, auto part) { return load(part, t + i); });
  }
  T dot(size_t n, const T* y, T max) const {
    return sum_of_row<T>(n, [&, maxes = broadcast(max)](size_t i, auto part) {
      return load(part, t + i) * (load(part, y + i) - maxes);
    });
  }
  void gradient(size_t n, T share, T scale, T* dy) const {
    for_each_vector<T>(n, [&, shares = broadcast(share), scales = broadcast(scale)](size_t i, auto part) {
      store(part, dy + i, scales * fma(shares, load(part, dy + i), -load(part, t + i)));
    });
  }
  void skip(size_t rows, size_t n) { t += rows * n; }

  struct Some {
    Columns<T> t;
    Some(const DenseTargets& all, int rows, size_t n) : t(rows, n, all.t) {}
    Vec<T> sum(size_t n) const {
      return sum_of_columns<T>(n, [&](size_t j) { return t.at[j]; });
    }
    Vec<T> dot(size_t n, const T*, const Columns<T>& y, Vec<T> max) const {
      return sum_of_columns<T>(n, [&](size_t j) { return t.at[j] * (y.at[j] - max); });
    }
    Vec<T> gradient(size_t j, Vec<T> e, Vec<T> share, Vec<T> scale) const { return scale * fma(share, e, -t.at[j]); }
    void finish(size_t, const T*, T*) const {}
  };
};
template <class T>
struct LabelTargets {
  const std::int32_t* t;
  T sum(size_t) const { return 1; }
  T dot(size_t, const T* y, T max) const { return y[*t] - max; }
  void gradient(size_t n, T share, T scale, T* dy) const {
    for_each_vector<T>(n, [&, shares = broadcast(scale * share)](size_t i, auto part) {
      store(part, dy + i, shares * load(part, dy + i));
    });
    dy[*t] -= scale;
  }
  void skip(size_t rows, size_t) { t += rows; }

  struct Some {
    const std::int32_t* t;
    size_t rows;
    Some(const LabelTargets& all, int rows_, size_t) : t(all.t), rows(static_cast<size_t>(rows_)) {}
    Vec<T> sum(size_t) const { return broadcast(T(1)); }
    Vec<T> dot(size_t n, const T* y, const Columns<T>&, Vec<T> max) const {
      T chosen[kLanes<T>] = {};
      for (size_t row = 0; row < rows; ++row) chosen[row] = y[row * n + t[row]];
      return load(chosen) - max;
    }
    Vec<T> gradient(size_t, Vec<T> e, Vec<T> share, Vec<T> scale) const { return scale * share * e; }
    void finish(size_t n, const T* scale, T* dy) const {
      for (size_t row = 0; row < rows; ++row) dy[row * n + t[row]] -= scale[row];
    }
  };
};

// With p = softmax(y), e = e^(y - max): -sum t log p = sum(t) log(sum e) - sum t (y - max), its gradient p sum(t) - t.
// Both terms of the loss are positive for t >= 0.
//
// Here for up to kLanes rows of at most kGroup outputs.
template <class T, class Targets>
void cross_entropy_of_short(int rows, size_t n, const T* y, const Targets& targets, const T* scale, T* loss, T* dy) {
  const Part<T> part(rows);
  const typename Targets::Some some(targets, rows, n);
  Columns<T> e(rows, n, y);
  const Vec<T> max = max_of_columns(n, e), target_sum = some.sum(n), dot = some.dot(n, y, e, max);
  for (size_t j = 0; j < n; ++j) e.at[j] = exp<T>(e.at[j] - max);
  const Vec<T> sum = sum_of_columns<T>(n, [&](size_t j) { return e.at[j]; });
  store(part, loss, fma(target_sum, log<T>(sum), -dot));
  if (dy == nullptr) return;
  const Vec<T> share = target_sum / sum, scales = load(part, scale);
  for (size_t j = 0; j < n; ++j) e.at[j] = some.gradient(j, e.at[j], share, scales);
  e.store_rows(rows, n, dy);
  some.finish(n, scale, dy);
}

// The same for up to kBlock rows of any length, one by one. The logarithms are taken a vector at a time.
constexpr size_t kBlock = 32;
template <class T, class Targets>
void cross_entropy_of_long(size_t rows, size_t n, const T* y, Targets targets, const T* scale, T* loss, T* dy) {
  T sums[kBlock], target_sums[kBlock], dots[kBlock];
  for (size_t row = 0; row < rows; ++row, y += n, targets.skip(1, n)) {
    const T max = max_of_row<T>(n, y);
    target_sums[row] = targets.sum(n);
    dots[row] = targets.dot(n, y, max);  // before e takes the place of y
    sums[row] = sum_of_row<T>(n, [&, maxes = broadcast(max)](size_t i, auto part) {
      const Vec<T> e = exp<T>(load(part, y + i) - maxes);
      if (dy != nullptr) store(part, dy + i, e);
      return e;
    });
    if (dy == nullptr) continue;
    targets.gradient(n, target_sums[row] / sums[row], *scale++, dy);
    dy += n;
  }
  for_each_vector<T>(rows, [&](size_t i, auto part) {
    store(part, loss + i, fma(load(part, target_sums + i), log<T>(load(part, sums + i)), -load(part, dots + i)));
  });
}

template <class T, class Targets>
void cross_entropy(size_t m, size_t n, const T* y, Targets targets, const T* scale, T* loss, T* dy) {
  // Together rows cost by the column, so they must be more than a few: 8 rows of 10 take 0.8 of the time they take one
  // by one, 32 rows half, 4 rows 1.4 (AVX-512, float32).
  const size_t together = m < kLanes<T> ? m : kLanes<T>;
  const bool is_short = n <= kGroup<T> && n < together + 3 && together > 2;
  const size_t block = is_short ? kLanes<T> : kBlock;
  for (size_t rows; m > 0; m -= rows) {
    rows = m < block ? m : block;
    if (is_short)
      cross_entropy_of_short<T>(static_cast<int>(rows), n, y, targets, scale, loss, dy);
    else
      cross_entropy_of_long<T>(rows, n, y, targets, scale, loss, dy);
    y += rows * n, targets.skip(rows, n), loss += rows;
    if (dy != nullptr) dy += rows * n, scale += rows;
  }
}
template <class T>
void cross_entropy_dense(size_t m, size_t n, T, const T* y, const T* t, const T* scale, T* loss, T* dy) {
  cross_entropy(m, n, y, DenseTargets<T>{t}, scale, loss, dy);
}
template <class T>
void cross_entropy_indexed(size_t m, size_t n, T, const T* y, const std::int32_t* t, const T* scale, T* loss, T* dy) {
  cross_entropy(m, n, y, LabelTargets<T>{t}, scale, loss, dy);
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
