// Rows' targets as cross-entropy meets them: a weight t for every class, or one label whose t is 1.
//
// Each kind is first of one row; its `Some` are those of up to kLanes short rows.
#pragma once

#include "kernels/kernel_table.h"
#include "kernels/simd/columns.h"
#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// What all have in common whose `Self` tells t for a vector of classes: at(i, part).
template <class T, class Self>
struct TargetsByClass {
  T sum(size_t n) const {
    return sum_of_row<T>(n, [&](size_t i, auto part) { return self().at(i, part); });
  }
  T dot(size_t n, const T* y, T max) const {
    return sum_of_row<T>(n, [&, maxes = broadcast(max)](size_t i, auto part) {
      return self().at(i, part) * (load(part, y + i) - maxes);
    });
  }
  void gradient(size_t n, T share, T scale, T* dy) const {
    for_each_vector<T>(n, [&, shares = broadcast(share), scales = broadcast(scale)](size_t i, auto part) {
      store(part, dy + i, scales * fma(shares, load(part, dy + i), -self().at(i, part)));
    });
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

template <class T>
struct DenseTargets : TargetsByClass<T, DenseTargets<T>> {
  explicit DenseTargets(const T* t_) : t(t_) {}
  template <class Part>
  Vec<T> at(size_t i, Part part) const {
    return load(part, t + i);
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

  const T* t;
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

// Targets as a cross-entropy's settings make them: w ((1 - smoothing) t + smoothing / n), w being the weights of the
// classes. C. Szegedy et al., Rethinking the Inception Architecture, CVPR 2016. A label is a row of zeros with a 1.
template <class T>
struct AdjustedTargets : TargetsByClass<T, AdjustedTargets<T>> {
  static bool are_plain(const LossSettings<T>& settings) { return settings.first == 0 && settings.weight_count == 0; }

  AdjustedTargets(size_t n, const LossSettings<T>& settings, const T* t, const std::int32_t* label)
      : t_(t),
        label_(label),
        weights_(settings.weight_count == 0 ? nullptr : settings.weights),
        kept_(1 - settings.first),
        even_(settings.first / static_cast<T>(n)) {}

  template <class Part>
  Vec<T> at(size_t i, Part part) const {
    const Vec<T> t = kept_ * (t_ != nullptr ? load(part, t_ + i) : one_hot(i)) + even_;
    return weights_ == nullptr ? t : load(part, weights_ + i) * t;
  }
  void skip(size_t rows, size_t n) {
    if (t_ != nullptr)
      t_ += rows * n;
    else
      label_ += rows;
  }

  struct Some : DenseTargets<T>::Some {
    Some(const AdjustedTargets& all, int rows, size_t n)
        : DenseTargets<T>::Some(DenseTargets<T>(Rows(all, rows, n).values), rows, n) {}
  };

 private:
  struct Rows {
    T values[kLanes<T> * kGroup<T>];
    Rows(AdjustedTargets targets, int rows, size_t n) {
      for (T* row = values; rows > 0; --rows, row += n, targets.skip(1, n))
        for_each_vector<T>(n, [&](size_t i, auto part) { store(part, row + i, targets.at(i, part)); });
    }
  };
  Vec<T> one_hot(size_t i) const {
    T t[kLanes<T>] = {};
    const size_t place = static_cast<size_t>(*label_) - i;
    if (place < kLanes<T>) t[place] = 1;
    return load(t);
  }

  const T* t_;                 // null: labels
  const std::int32_t* label_;  // null: none
  const T* weights_;           // null: all are 1
  T kept_, even_;
};

// Distributions whose divergence is wanted: their entropy is taken off, sum of t (log softmax(y) - log t). The loss is
// off by few eps of the entropy and the cross-entropy together, so where both are equal it may be as far below 0.
template <class T>
struct Distributions : DenseTargets<T> {
  using DenseTargets<T>::DenseTargets;
  // log t; of 0 any number will do, as it is multiplied by t.
  static Vec<T> log_of(Vec<T> t) { return log<T>(select<T>(t > 0, t, broadcast(T(1)))); }
  T dot(size_t n, const T* y, T max) const {
    return sum_of_row<T>(n, [&, maxes = broadcast(max)](size_t i, auto part) {
      const Vec<T> target = this->at(i, part);
      return target * (load(part, y + i) - maxes - log_of(target));
    });
  }

  struct Some : DenseTargets<T>::Some {
    using DenseTargets<T>::Some::Some;
    Vec<T> dot(size_t n, const T*, const Columns<T>& y, Vec<T> max) const {
      return sum_of_columns<T>(n, [&](size_t j) { return this->t.at[j] * (y.at[j] - max - log_of(this->t.at[j])); });
    }
  };
};

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
