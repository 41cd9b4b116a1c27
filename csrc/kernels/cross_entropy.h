// The softmax cross-entropy of rows, for loss.kernel.cpp.
#pragma once

#include "kernels/cross_entropy_targets.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

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
void cross_entropy_dense(size_t m, size_t n, const LossSettings<T>& settings, const T* y, const T* t, const T* scale,
                         T* loss, T* dy) {
  if (AdjustedTargets<T>::are_plain(settings)) return cross_entropy(m, n, y, DenseTargets<T>{t}, scale, loss, dy);
  cross_entropy(m, n, y, AdjustedTargets<T>(n, settings, t, nullptr), scale, loss, dy);
}
template <class T>
void cross_entropy_indexed(size_t m, size_t n, const LossSettings<T>& settings, const T* y, const std::int32_t* t,
                           const T* scale, T* loss, T* dy) {
  if (AdjustedTargets<T>::are_plain(settings)) return cross_entropy(m, n, y, LabelTargets<T>{t}, scale, loss, dy);
  cross_entropy(m, n, y, AdjustedTargets<T>(n, settings, nullptr, t), scale, loss, dy);
}
template <class T>
void divergence(size_t m, size_t n, const LossSettings<T>&, const T* y, const T* t, const T* scale, T* loss, T* dy) {
  cross_entropy(m, n, y, Distributions<T>{t}, scale, loss, dy);
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
