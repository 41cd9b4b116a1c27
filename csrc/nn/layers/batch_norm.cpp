#include "nn/layers/batch_norm.h"

#include <cmath>

#include "core/errors.h"

namespace nnext::nn {

template <class T>
BatchNorm1d<T>::BatchNorm1d(const core::Config& config)
    : features_(config.size("num_features")),
      eps_(config.number("eps")),
      momentum_(config.has("momentum") ? config.number("momentum") : -1),
      affine_(config.flag("affine")) {
  const auto add = [&](const char* name, Role role) {
    this->parameters.push_back({name, {features_}, features_, role});
  };
  if (affine_) {
    add("weight", Role::parameter);
    add("bias", Role::parameter);
  }
  add("running_mean", Role::buffer);
  add("running_var", Role::buffer);
  this->parameters.push_back({"num_batches_tracked", {}, 1, Role::buffer});
}

template <class T>
void BatchNorm1d<T>::initialize(const Streams&) {
  if (affine_) std::fill_n(tensor(kWeight), features_, T(1));
  std::fill_n(tensor(kRunningVar), features_, T(1));
}

template <class T>
Size BatchNorm1d<T>::out_features(Size in_features) const {
  if (in_features != features_)
    core::fail_value("[batch_norm] x has ", in_features, " features but the layer expects ", features_,
                     "; change num_features or what comes before the layer");
  return features_;
}

template <class T>
Traits BatchNorm1d<T>::traits(bool training) const {
  if (!uses_batch(training)) return {.in_place = true};
  return {.in_place = true, .reads_x = true, .gradients_follow_backward = true, .row_grain = kChunk, .min_rows = 2};
}

template <class T>
Room BatchNorm1d<T>::room(Size, Size rows, bool training) const {
  return {.shared = uses_batch(training) ? chunks(rows) * kSums * features_ * sizeof(T) : 0,
          .own = kOwn * features_ * sizeof(T),
          .flops = (uses_batch(training) ? 12 : 4) * static_cast<double>(features_)};
}

// A part begins with a chunk: members share out rows by row_grain, which is kChunk.
template <class T>
template <class F>
void BatchNorm1d<T>::for_chunks(const Part& part, F f) const {
  for (Size row = part.begin; row < part.end; row += kChunk) f(row / kChunk, row, std::min(kChunk, part.end - row));
}

// Of two parts with n and m rows, of means a and b, the joint mean is a + (b - a) m / (n + m), and the sum of squared
// distances from it that of both and (b - a)^2 n m / (n + m). Chan, Golub and LeVeque, 1979.
template <class T>
typename BatchNorm1d<T>::Moments BatchNorm1d<T>::moments(const Frame<T>& frame, Size feature) const {
  double count = 0, mean = 0, squares = 0;
  for (Size chunk = 0; chunk < chunks(frame.rows()); ++chunk) {
    const auto rows = static_cast<double>(std::min(kChunk, frame.rows() - chunk * kChunk));
    const double distance = static_cast<double>(sums(frame, kMean, chunk)[feature]) - mean;
    squares += static_cast<double>(sums(frame, kSquares, chunk)[feature]) +
               distance * distance * count * rows / (count + rows);
    mean += distance * rows / (count + rows);
    count += rows;
  }
  return {mean, squares / count};
}

// y = (x - centre) * scale + shift, and precision is 1 / (variance + eps).
template <class T>
void BatchNorm1d<T>::normalize_by(const Frame<T>& frame, bool of_batch) const {
  for (Size j = 0; j < features_; ++j) {
    const Moments at =
        of_batch ? moments(frame, j)
                 : Moments{static_cast<double>(tensor(kRunningMean)[j]), static_cast<double>(tensor(kRunningVar)[j])};
    own(frame, kCentre)[j] = static_cast<T>(at.mean);
    own(frame, kScale)[j] = static_cast<T>(static_cast<double>(weight(j)) / std::sqrt(at.variance + eps_));
    own(frame, kShift)[j] = affine_ ? tensor(kBias)[j] : T(0);
    own(frame, kPrecision)[j] = static_cast<T>(1 / (at.variance + eps_));
  }
}

template <class T>
void BatchNorm1d<T>::forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const {
  const bool of_batch = uses_batch(pass.training);
  if (of_batch && round == 0)
    return for_chunks(part, [&](Size chunk, Size row, Size rows) {
      pass.kernels.normalize.moments(rows, features_, frame.x.row(row), frame.x.row_stride, sums(frame, kMean, chunk),
                                     sums(frame, kSquares, chunk));
    });
  if (part.first) normalize_by(frame, of_batch);
  pass.kernels.normalize.forward(part.size(), features_, frame.x.row(part.begin), frame.x.row_stride,
                                 own(frame, kCentre), own(frame, kScale), own(frame, kShift), frame.y.row(part.begin),
                                 frame.y.row_stride);
}

// With n rows, xhat = (x - mean) / s and y = xhat w + b, by the chain rule through mean and s:
//   dx = w / s (dy - sum(dy) / n - xhat sum(dy xhat) / n)
// The running statistics of a layer that evaluates do not depend on x: dx = w / s dy.
template <class T>
void BatchNorm1d<T>::backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const {
  const bool of_batch = uses_batch(pass.training);
  const Matrix<T> dy = frame.dy.rows_from(part.begin, part.size()), dx = frame.dx.rows_from(part.begin, part.size());
  if (part.first && round == 0) normalize_by(frame, of_batch);  // another member may have gone forward
  if (!of_batch)
    return pass.kernels.normalize.forward(dy.rows, features_, dy.data, dy.row_stride, own(frame, kZero),
                                          own(frame, kScale), own(frame, kZero), dx.data, dx.row_stride);
  if (round == 0)
    return for_chunks(part, [&](Size chunk, Size row, Size rows) {
      pass.kernels.normalize.backward_sums(rows, features_, frame.dy.row(row), dy.row_stride, frame.x.row(row),
                                           frame.x.row_stride, own(frame, kCentre), sums(frame, kDySum, chunk),
                                           sums(frame, kDyDot, chunk));
    });
  if (part.first) average_gradients(frame);
  pass.kernels.normalize.backward(dy.rows, features_, dy.data, dy.row_stride, frame.x.row(part.begin),
                                  frame.x.row_stride, own(frame, kCentre), own(frame, kScale), own(frame, kDyMean),
                                  own(frame, kDySlope), dx.data, dx.row_stride);
}

// dx = scale (dy - dy_mean - (x - centre) dy_slope)
template <class T>
void BatchNorm1d<T>::average_gradients(const Frame<T>& frame) const {
  const auto rows = static_cast<double>(frame.rows());
  for (Size j = 0; j < features_; ++j) {
    own(frame, kDyMean)[j] = static_cast<T>(total(frame, kDySum, j) / rows);
    own(frame, kDySlope)[j] =
        static_cast<T>(total(frame, kDyDot, j) / rows * static_cast<double>(own(frame, kPrecision)[j]));
  }
}

template <class T>
double BatchNorm1d<T>::total(const Frame<T>& frame, Sums which, Size feature) const {
  double sum = 0;
  for (Size chunk = 0; chunk < chunks(frame.rows()); ++chunk)
    sum += static_cast<double>(sums(frame, which, chunk)[feature]);
  return sum;
}

// The count of batches comes last: the cumulative means of the others need it as it was.
template <class T>
std::vector<Piece> BatchNorm1d<T>::pieces() const {
  std::vector<Piece> all;
  for (Size i = 0; i < this->parameters.size(); ++i)
    for (Size first = 0, size = this->parameters[i].stored; first < size; first += kMaxPiece)
      all.push_back({.parameter = i, .offset = first, .count = std::min(kMaxPiece, size - first)});
  return all;
}

// Of the running statistics what this batch is like, the variance unbiased; of a step's batches the mean by rows.
template <class T>
void BatchNorm1d<T>::gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, const kernels::Prefetch&,
                              T* out) const {
  const auto which = static_cast<Tensor>(affine_ ? piece.parameter : piece.parameter + kRunningMean);
  const auto rows = static_cast<double>(frame.rows());
  const double share = rows / (static_cast<double>(pass.first_row) + rows);  // of the rows of the step so far
  for (Size i = 0; i < piece.count; ++i) {
    const Size j = piece.offset + i;
    const double before = pass.continues() ? static_cast<double>(out[i]) : 0;
    if (which == kBatches) {
      out[i] = T(1);
    } else if (which == kRunningMean || which == kRunningVar) {
      const Moments at = moments(frame, j);
      const double seen = which == kRunningMean ? at.mean : at.variance * rows / (rows - 1);
      out[i] = static_cast<T>(before + share * (seen - before));
    } else {
      const double sum = total(frame, which == kBias ? kDySum : kDyDot, j);
      out[i] = static_cast<T>(before + (which == kBias ? sum : sum / std::sqrt(moments(frame, j).variance + eps_)));
    }
  }
}

template <class T>
void BatchNorm1d<T>::update_buffer(const Piece& piece, const T* observed) {
  T* const values = this->parameters[piece.parameter].values.data() + piece.offset;
  if (piece.parameter == index(kBatches)) {
    *values += *observed;
    return;
  }
  const T rate = static_cast<T>(momentum_ >= 0 ? momentum_ : 1 / (static_cast<double>(*tensor(kBatches)) + 1));
  for (Size i = 0; i < piece.count; ++i) values[i] = (1 - rate) * values[i] + rate * observed[i];
}

template class BatchNorm1d<float>;
template class BatchNorm1d<double>;

}  // namespace nnext::nn
