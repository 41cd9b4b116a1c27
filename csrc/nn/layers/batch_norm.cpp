#include "nn/layers/batch_norm.h"

#include <cmath>

#include "core/errors.h"

namespace nnext::nn {

// How the batch is cut: groups of whole samples, which members share out, and of a group's places up to kPlaces
// together: longer chains of float32 would lose digits.
template <class T>
struct BatchNorm<T>::Chunks {
  static constexpr Size kPlaces = 256, kSamples = 32;
  Size rows, places, grain;  // samples, places of one, and samples of a group: a power of two, so that grains fit

  Chunks(const Shape& shape, Size rows_) : rows(rows_), places(shape.places()), grain(kSamples) {
    while (grain > 1 && grain * places > kSamples) grain /= 2;
  }
  explicit Chunks(const Frame<T>& frame) : Chunks(*frame.in, frame.rows()) {}
  Size of_group() const { return core::divide_up(grain * places, kPlaces); }
  Size count() const { return core::divide_up(rows, grain) * of_group(); }
  Range at(Size chunk) const {  // in places; may be empty in the last group
    const Size group = chunk / of_group() * grain, end = std::min(group + grain, rows) * places;
    const Size begin = std::min(group * places + chunk % of_group() * kPlaces, end);
    return {begin, std::min(begin + kPlaces, end)};
  }
  // Calls f(chunk, first place, places) for those of some samples, which begin with a group.
  template <class F>
  void for_each(const Range& part, F f) const {
    const Size first = part.begin / grain * of_group(), last = core::divide_up(part.end, grain) * of_group();
    for (Size chunk = first; chunk < last; ++chunk)
      if (const Range found = at(chunk); found.size() > 0) f(chunk, found.begin, found.size());
  }
};

template <class T>
BatchNorm<T>::BatchNorm(const core::Config& config, int axes)
    : features_(config.size("num_features")),
      axes_(axes),
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
  // The last, as pieces are in this order: the cumulative means of the others need it as it was.
  this->parameters.push_back({"num_batches_tracked", {}, 1, Role::buffer});
}

template <class T>
void BatchNorm<T>::initialize(const Streams&, runtime::Cancel&) {
  if (affine_) std::fill_n(tensor(kWeight), features_, T(1));
  std::fill_n(tensor(kRunningVar), features_, T(1));
}

template <class T>
std::optional<Intake> BatchNorm<T>::intake() const {
  return Intake{.channels = features_, .axes = axes_, .channels_first = axes_ > 0};
}

template <class T>
Shape BatchNorm<T>::out_shape(std::span<const Shape> in) const {
  const Shape& x = in.front();
  if (x.axes != static_cast<Size>(axes_))
    core::fail_value("[batch_norm] x is ", text(x), " a sample but the layer takes ",
                     axes_ == 0 ? "(features,); use BatchNorm2d for images" : "images (channels, height, width)");
  if (x.channels != features_)
    core::fail_value("[batch_norm] x has ", x.channels, axes_ == 0 ? " features" : " channels",
                     " but the layer expects ", features_, "; change num_features or what comes before the layer");
  return x;
}

template <class T>
Traits BatchNorm<T>::traits(const Shape& in, bool training) const {
  if (!uses_batch(training)) return {.in_place = true};
  const Chunks chunks(in, 1);
  return {.in_place = true,
          .reads_x = true,
          .gradients_follow_backward = true,
          .row_grain = chunks.grain,
          .min_rows = chunks.places > 1 ? Size{1} : Size{2}};
}

template <class T>
Room BatchNorm<T>::room(const Shape& in, Size rows, bool training) const {
  return {.shared = uses_batch(training) ? Chunks(in, rows).count() * kSums * features_ * sizeof(T) : 0,
          .own = kOwn * features_ * sizeof(T),
          .flops = (uses_batch(training) ? 12 : 4) * static_cast<double>(in.numbers())};
}

// Of two parts with n and m rows, of means a and b, the joint mean is a + (b - a) m / (n + m), and the sum of squared
// distances from it that of both and (b - a)^2 n m / (n + m). Chan, Golub and LeVeque, 1979.
template <class T>
typename BatchNorm<T>::Moments BatchNorm<T>::moments(const Frame<T>& frame, Size feature) const {
  double count = 0, mean = 0, squares = 0;
  const Chunks chunks(frame);
  for (Size chunk = 0; chunk < chunks.count(); ++chunk) {
    const auto rows = static_cast<double>(chunks.at(chunk).size());
    if (rows == 0) continue;
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
void BatchNorm<T>::normalize_by(const Frame<T>& frame, bool of_batch) const {
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
void BatchNorm<T>::forward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const {
  const bool of_batch = uses_batch(pass.training);
  const ConstMatrix<T> all = by_places(frame.x, *frame.in);
  if (of_batch && round == 0)
    return Chunks(frame).for_each(part, [&](Size chunk, Size first, Size places) {
      pass.kernels.normalize.moments(places, features_, all.row(first), all.row_stride, sums(frame, kMean, chunk),
                                     sums(frame, kSquares, chunk));
    });
  if (part.first) normalize_by(frame, of_batch);
  const ConstMatrix<T> x = by_places(frame.x.rows_from(part.begin, part.size()), *frame.in);
  pass.kernels.normalize.forward(x.rows, features_, x.data, x.row_stride, own(frame, kCentre), own(frame, kScale),
                                 own(frame, kShift), frame.y.row(part.begin), x.row_stride);
}

// With n places, xhat = (x - mean) / s and y = xhat w + b, by the chain rule through mean and s:
//   dx = w / s (dy - sum(dy) / n - xhat sum(dy xhat) / n)
// The running statistics of a layer that evaluates do not depend on x: dx = w / s dy.
template <class T>
void BatchNorm<T>::backward(const Pass<T>& pass, const Frame<T>& frame, const Part& part, int round) const {
  const bool of_batch = uses_batch(pass.training);
  const auto mine = [&](auto rows) { return by_places(rows.rows_from(part.begin, part.size()), *frame.in); };
  const Matrix<T> dy = mine(frame.dy), dx = mine(frame.dx);
  if (part.first && round == 0) normalize_by(frame, of_batch);  // another member may have gone forward
  if (!of_batch)
    return pass.kernels.normalize.forward(dy.rows, features_, dy.data, dy.row_stride, own(frame, kZero),
                                          own(frame, kScale), own(frame, kZero), dx.data, dx.row_stride);
  if (round == 0) {
    const ConstMatrix<T> all_dy = by_places(frame.dy, *frame.in), all_x = by_places(frame.x, *frame.in);
    return Chunks(frame).for_each(part, [&](Size chunk, Size first, Size places) {
      pass.kernels.normalize.backward_sums(places, features_, all_dy.row(first), all_dy.row_stride, all_x.row(first),
                                           all_x.row_stride, own(frame, kCentre), sums(frame, kDySum, chunk),
                                           sums(frame, kDyDot, chunk));
    });
  }
  if (part.first) average_gradients(frame);
  const ConstMatrix<T> x = mine(frame.x);
  pass.kernels.normalize.backward(dy.rows, features_, dy.data, dy.row_stride, x.data, x.row_stride, own(frame, kCentre),
                                  own(frame, kScale), own(frame, kDyMean), own(frame, kDySlope), dx.data,
                                  dx.row_stride);
}

// dx = scale (dy - dy_mean - (x - centre) dy_slope)
template <class T>
void BatchNorm<T>::average_gradients(const Frame<T>& frame) const {
  const auto places = static_cast<double>(frame.rows() * frame.in->places());
  for (Size j = 0; j < features_; ++j) {
    own(frame, kDyMean)[j] = static_cast<T>(total(frame, kDySum, j) / places);
    own(frame, kDySlope)[j] =
        static_cast<T>(total(frame, kDyDot, j) / places * static_cast<double>(own(frame, kPrecision)[j]));
  }
}

template <class T>
double BatchNorm<T>::total(const Frame<T>& frame, Sums which, Size feature) const {
  double sum = 0;
  const Chunks chunks(frame);
  for (Size chunk = 0; chunk < chunks.count(); ++chunk)
    if (chunks.at(chunk).size() > 0) sum += static_cast<double>(sums(frame, which, chunk)[feature]);
  return sum;
}

// Of the running statistics what this batch is like, the variance unbiased; of a step's batches the mean by rows.
template <class T>
void BatchNorm<T>::gradient(const Pass<T>& pass, const Frame<T>& frame, const Piece& piece, const kernels::Prefetch&,
                            T* out) const {
  const auto which = static_cast<Tensor>(affine_ ? piece.parameter : piece.parameter + kRunningMean);
  const auto rows = static_cast<double>(frame.rows()), places = rows * static_cast<double>(frame.in->places());
  const double share = rows / (static_cast<double>(pass.first_row) + rows);  // of the rows of the step so far
  for (Size i = 0; i < piece.count; ++i) {
    const Size j = piece.offset + i;
    const double before = pass.continues() ? static_cast<double>(out[i]) : 0;
    if (which == kBatches) {
      out[i] = T(1);
    } else if (which == kRunningMean || which == kRunningVar) {
      const Moments at = moments(frame, j);
      const double seen = which == kRunningMean ? at.mean : at.variance * places / (places - 1);
      out[i] = static_cast<T>(before + share * (seen - before));
    } else {
      const double sum = total(frame, which == kBias ? kDySum : kDyDot, j);
      out[i] = static_cast<T>(before + (which == kBias ? sum : sum / std::sqrt(moments(frame, j).variance + eps_)));
    }
  }
}

template <class T>
void BatchNorm<T>::update_buffer(const Piece& piece, const T* observed) {
  T* const values = this->parameters[piece.parameter].values.data() + piece.offset;
  if (piece.parameter == index(kBatches)) {
    *values += *observed;
    return;
  }
  const T rate = static_cast<T>(momentum_ >= 0 ? momentum_ : 1 / (static_cast<double>(*tensor(kBatches)) + 1));
  for (Size i = 0; i < piece.count; ++i) values[i] = (1 - rate) * values[i] + rate * observed[i];
}

template class BatchNorm<float>;
template class BatchNorm<double>;

}  // namespace nnext::nn
