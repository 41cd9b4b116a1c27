// What the rows of a step add to its loss, and how much each counts.
//
// A row is one term for each place or, where every output has a weight of its own, for each output: the loss of
// (places, k) is then taken as that of (places * k, 1), whose terms are the same. No kernel needs to know of it.
#pragma once

#include "data/source.h"
#include "train/plan.h"
#include "train/training.h"

namespace nnext::train {

template <class T>
class LossTerms {
 public:
  LossTerms() = default;
  // Room for `rows` of that shape. The weights of all samples have a mean of 1: one a sample, a place or an
  // output; none: all are 1.
  LossTerms(ConstMatrix<T> weights, Size rows, const core::Shape& shape)
      : weights_(weights),
        places_(shape.places()),
        per_row_(std::max(places_, weights ? weights.cols : 1)),
        scale_(core::checked_product(rows, per_row_)),
        loss_(scale_.size()) {}

  // Rows, of all_rows together, count as much as the samples sample(i): what makes the sum of the terms their mean.
  template <class F>
  void weigh(runtime::Range rows, Size all_rows, F sample) {
    const auto terms = static_cast<double>(all_rows * per_row_);
    T* to = scale_.data() + rows.begin * per_row_;
    if (!weights_) {
      std::fill_n(to, rows.size() * per_row_, static_cast<T>(1 / terms));
      return;
    }
    for (Size i = rows.begin; i < rows.end; ++i)
      for (Size j = 0; j < per_row_; ++j) *to++ = static_cast<T>(weight(sample(i), j) / terms);
  }

  // The same where of row i but length(i) places count, all_places of all rows together.
  template <class F, class Length>
  void weigh(runtime::Range rows, Size all_places, F sample, Length length) {
    const Size each = per_row_ / places_;
    const auto terms = static_cast<double>(all_places * each);
    T* to = scale_.data() + rows.begin * per_row_;
    for (Size i = rows.begin; i < rows.end; ++i)
      for (Size j = 0, count = length(i) * each; j < per_row_; ++j)
        *to++ = j < count ? static_cast<T>((weights_ ? weight(sample(i), j) : 1) / terms) : T{0};
  }

  // The terms of the rows from `first` on that y has, and their gradient, times how much they count, to dy unless that
  // is empty. Rows without gaps.
  void compute(const ops::Loss<T>& loss, Size first, ConstMatrix<T> y, const ops::Targets<T>& targets, Matrix<T> dy) {
    const Size at = first * per_row_;
    ops::loss_rows<T>(loss, by_terms(y), {targets.indices, by_terms(targets.dense)}, scale_.data() + at,
                      loss_.data() + at, by_terms(dy));
  }
  double total(Size rows) const { return ops::total_loss(rows * per_row_, scale_.data(), loss_.data()); }

 private:
  double weight(Size sample, Size term) const {
    return static_cast<double>(weights_(sample, weights_.cols == 1 ? 0 : term));
  }
  template <class U>
  Matrix<U> by_terms(Matrix<U> m) const {
    if (per_row_ == 1) return m;  // a step of 2-2-1 would wait for three divisions
    return {m.data, m.rows * per_row_, m.cols / per_row_};
  }

  ConstMatrix<T> weights_;
  Size places_ = 1, per_row_ = 1;
  core::Buffer<T> scale_, loss_;  // of each term
};

// How many places count that the loss reads of sequences with ends of their own; nothing where it reads no such.
template <class T>
std::optional<Size> counted_places(const Plan<T>& plan, const data::Source<T>& x) {
  if (!x.has_lengths() || plan.head_lengths() == kNoLengths) return {};
  Size places = 0;
  for (Size i = 0; i < x.rows; ++i) places += plan.head_length(x.length(i));
  return places;
}

// All rows of a source, as one batch.
template <class T>
void weigh_all(LossTerms<T>& terms, const Plan<T>& plan, const data::Source<T>& x) {
  const auto as_they_lie = [](Size i) { return i; };
  const std::optional<Size> places = counted_places(plan, x);
  if (!places) return terms.weigh({0, x.rows}, x.rows, as_they_lie);
  terms.weigh({0, x.rows}, *places, as_they_lie, [&](Size i) { return plan.head_length(x.length(i)); });
}

}  // namespace nnext::train
