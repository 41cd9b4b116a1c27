// Losses of rows and their gradients.
#include "kernels/cross_entropy.h"
#include "kernels/losses_of_labels.h"
#include "kernels/losses_of_numbers.h"
#include "kernels/parts.h"
#include "kernels/simd/lanes.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// The weights of the outputs from i on: see LossKernel.
template <class T>
inline Vec<T> weights_from(size_t i, const LossSettings<T>& settings) {
  const size_t count = settings.weight_count;
  if (count <= 1) return broadcast(count == 0 ? T(1) : *settings.weights);
  i %= count;
  if (i + kLanes<T> <= count) return load(settings.weights + i);
  T around[kLanes<T>];
  for (size_t lane = 0; lane < kLanes<T>; ++lane) around[lane] = settings.weights[(i + lane) % count];
  return load(around);
}

// Rows of one output: the lanes run over the rows.
template <class T, class F>
void single_outputs(size_t m, const LossSettings<T>& settings, const T* y, const T* t, const T* scale, T* loss, T* dy) {
  Given<T> given{broadcast(settings.first), broadcast(settings.second), {}};
  for_each_vector<T>(m, [&](size_t i, auto part) {
    const Vec<T> output = load(part, y + i), target = load(part, t + i);
    given.weight = weights_from<T>(i, settings);
    store(part, loss + i, F::template loss<T>(output, target, given));
    if (dy != nullptr) store(part, dy + i, load(part, scale + i) * F::template slope<T>(output, target, given));
  });
}

template <class T, class F>
void mean_of_outputs(size_t m, size_t n, const LossSettings<T>& settings, const T* y, const T* t, const T* scale,
                     T* loss, T* dy) {
  if (n == 1) return single_outputs<T, F>(m, settings, y, t, scale, loss, dy);
  Given<T> given{broadcast(settings.first), broadcast(settings.second), {}};
  for (size_t i = 0; i < m * n; i += n) {
    const Vec<T> share = broadcast(dy == nullptr ? T(0) : *scale++ / static_cast<T>(n));
    const T sum = sum_of_row<T>(n, [&](size_t j, auto part) {
      const Vec<T> output = load(part, y + i + j), target = load(part, t + i + j);
      given.weight = weights_from<T>(j, settings);
      const Vec<T> term = F::template loss<T>(output, target, given);
      if (dy != nullptr) store(part, dy + i + j, share * F::template slope<T>(output, target, given));
      return term;
    });
    *loss++ = sum / static_cast<T>(n);
  }
}

template <class T>
constexpr LossKernel<T> kLosses[] = {
    // mean over the row of (y - t)^2
    {.name = "mse", .dense = mean_of_outputs<T, SquaredError>, .indexed = nullptr},
    // mean over the row of |y - t|
    {.name = "mae", .dense = mean_of_outputs<T, AbsoluteError>, .indexed = nullptr},
    // mean over the row of (y - t)^2 / 2 where |y - t| <= first, else first * (|y - t| - first / 2)
    {.name = "huber", .dense = mean_of_outputs<T, Huber>, .indexed = nullptr},
    // mean over the row of log cosh(y - t)
    {.name = "log_cosh", .dense = mean_of_outputs<T, LogCosh>, .indexed = nullptr},
    // mean over the row of max(first (t - y), (1 - first) (y - t))
    {.name = "quantile", .dense = mean_of_outputs<T, Quantile>, .indexed = nullptr},
    // mean over the row of e^y - t y, of y + t e^-y
    {.name = "poisson", .dense = mean_of_outputs<T, PoissonLikelihood>, .indexed = nullptr},
    {.name = "gamma", .dense = mean_of_outputs<T, GammaLikelihood>, .indexed = nullptr},
    // mean over the row of -(w t log y + (1 - t) log(1 - y)), each log at least -100; w are the weights
    {.name = "bce", .dense = mean_of_outputs<T, BinaryCrossEntropy>, .indexed = nullptr},
    // the same of sigmoid(y), stable
    {.name = "bce_with_logits", .dense = mean_of_outputs<T, BinaryCrossEntropyOfLogits>, .indexed = nullptr},
    // the same without weights, times (what p = sigmoid(y) lacks to t)^first and, unless second < 0, second for t = 1
    // and 1 - second for t = 0
    {.name = "focal", .dense = mean_of_outputs<T, Focal>, .indexed = nullptr},
    // mean over the row of max(0, 1 - y) where t > 0, else of max(0, 1 + y)
    {.name = "hinge", .dense = mean_of_outputs<T, Hinge>, .indexed = nullptr},
    // -sum of t' log softmax(y) with t' = w ((1 - first) t + first / n); w are the weights, t may be labels
    {.name = "cross_entropy", .dense = cross_entropy_dense<T>, .indexed = cross_entropy_indexed<T>},
    // sum of t (log t - log softmax(y))
    {.name = "kl_div", .dense = divergence<T>, .indexed = nullptr},
};

template <class T>
constexpr LossKernels<T> make_loss() {
  return {.losses = kLosses<T>, .loss_count = sizeof kLosses<T> / sizeof kLosses<T>[0]};
}

}  // namespace

constinit const LossKernels<float> loss_f32 = make_loss<float>();
constinit const LossKernels<double> loss_f64 = make_loss<double>();

}  // namespace nnext::kernels::NNEXT_ISA
