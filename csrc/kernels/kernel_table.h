// What every instruction set offers: functions on bare pointers, and the block sizes that suit them.
//
// Kernels never check, allocate or throw; callers (csrc/ops) do. Rows of a matrix are `*_row` elements apart.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/prefetch.h"
#include "kernels/random_stream.h"
#include "kernels/recurrent.h"
#include "kernels/tiny.h"
#include "kernels/update.h"

namespace nnext::kernels {

// Where k steps of a chain begin in a and b, as offsets: the taps of a line of a convolution's window.
struct Run {
  std::ptrdiff_t a = 0, b = 0;
};
inline constexpr Run kOneRun{};

// c[m, n] = init[m, n] + a[m, k] * b[k, n] for n up to one panel. Each element is one FMA chain over k in increasing
// order that starts from init, so neither tile shape nor vector width can change a bit. `a` must have a_row == 1 or a_k
// == 1 (other strides are packed first). With several runs the chain goes through k steps of each, one after the other;
// without any c is init.
template <class T>
struct PanelProduct {
  std::size_t m, n, k;
  const T* a;
  std::ptrdiff_t a_row, a_k;
  const T* b;
  std::ptrdiff_t b_k;
  const T* init;            // null: zero
  std::ptrdiff_t init_row;  // 0: the same row for all, as a bias
  T* c;
  std::ptrdiff_t c_row;
  Prefetch prefetch = {};
  std::size_t runs = 1;
  const Run* run = &kOneRun;
  const SgdStep<T>* step = nullptr;  // the product is the gradient of c, and this step is applied instead: a_row == 1
};

// The same for one row of a and all panels of b, which lie one after the other with rows of `width`, the last one
// padded: two panels at a time, since four chains of FMAs leave the ports idle half of the time.
template <class T>
struct RowProduct {
  std::size_t n, k, width;
  const T* a;
  const T* b;
  const T* init;  // null: zero
  T* c;
};

// The numbers that an activation takes beside x: the slope of leaky_relu for x < 0 (> 0), the alpha of elu (> 0), the
// limits of hardtanh (min < max), the beta (> 0) and the threshold of softplus. The others take none.
template <class T>
struct ActivationArguments {
  T first = 0, second = 0;
};

// Element-wise activation: forward y = f(x); backward dx = dy * f'(x) told from `from`, which is x where from_x, else
// the output y. In place is allowed.
template <class T>
struct ActivationKernels {
  const char* name;
  bool from_x;
  void (*forward)(std::size_t n, ActivationArguments<T>, const T* x, T* y);
  void (*backward)(std::size_t n, ActivationArguments<T>, const T* from, const T* dy, T* dx);
};

template <class T>
struct GemmKernels {
  std::size_t vector_lanes, panel_vectors, tile_rows;  // a panel is panel_vectors * vector_lanes columns wide
  std::size_t block_k;                                 // rows of a panel that stream from L2 while the row tiles pass
  void (*multiply_panel)(const PanelProduct<T>&);
  void (*multiply_row)(const RowProduct<T>&);
  std::size_t panel() const { return panel_vectors * vector_lanes; }
  // Whether multiply_row takes several panels of this width: whole ones or, of a GRU's three gates, three vectors.
  bool takes_rows_of(std::size_t width) const {
    return width == panel() || (panel_vectors > 3 && width == 3 * vector_lanes);
  }
};

// Copies of m x n numbers whose rows lie from_row apart to where they lie to_row apart. No overlap.
template <class T>
struct LayoutKernels {
  using Copy = void (*)(std::size_t rows, std::size_t cols, const T* from, std::ptrdiff_t from_row, T* to,
                        std::ptrdiff_t to_row);
  Copy copy;       // to[i, j] = from[i, j]
  Copy transpose;  // to[j, i] = from[i, j]
  // to[i, j] = from[order[i], j]; rows of `from` lie row_bytes apart, those of `to` without gaps.
  void (*gather)(std::size_t rows, std::size_t cols, const void* from, std::ptrdiff_t row_bytes,
                 const std::uint32_t* order, T* to);
};

template <class T>
struct ElementwiseKernels {
  const ActivationKernels<T>* activations;
  std::size_t activation_count;
  void (*exp)(std::size_t n, const T* x, T* y);
  void (*log)(std::size_t n, const T* x, T* y);
  void (*add)(std::size_t n, const T* a, const T* b, T* y);  // y = a + b; y may be a or b
  void (*scale)(std::size_t n, T factor, const T* x, T* y);  // y = factor * x; y may be x
  // y = keep * y + (1 - keep) * x: no overflow between finite numbers; x where both are x, with an FMA.
  void (*lerp)(std::size_t n, T keep, const T* x, T* y);
};

// Softmax, or its logarithm, of rows of n values that lie without gaps, m of them.
template <class T>
struct SoftmaxKernels {
  void (*forward)(std::size_t m, std::size_t n, const T* x, T* y);  // y may be x
  // dx = y * (dy - sum(dy * y)), or dy - e^y * sum(dy); dx may be dy.
  void (*backward)(std::size_t m, std::size_t n, const T* y, const T* dy, T* dx);
};

// y = x where x > 0, else weight * x, for m places of n channels that lie without gaps. With `shared` all have the one
// weight, else each channel has its own. y may be x, and dx may be dy.
template <class T>
struct PReLUKernels {
  void (*forward)(std::size_t m, std::size_t n, bool shared, const T* weight, const T* x, T* y);
  // For each of so many samples, which have m places: dx, and sums = sum of dy x where not x > 0, one for each weight. Of
  // a channel it is a chain over the places in increasing order; all numbers together fold virtual lanes.
  void (*backward)(std::size_t samples, std::size_t m, std::size_t n, bool shared, const T* weight, const T* x,
                   const T* dy, T* dx, T* sums);
};

// A number is kept where its word is at least `threshold`: x * scale, else x * 0; where numbers are shifted, plus `shift`
// where it is kept, else plus `dropped`.
template <class T>
struct DropoutRule {
  std::uint32_t threshold;
  T scale;
  bool shifted = false;
  T shift = 0, dropped = 0;
};

template <class T>
struct NoiseKernels {
  // The 4 * count words of `count` blocks from block `index` on.
  void (*blocks)(const RandomStream& stream, std::uint64_t index, std::size_t count, std::uint32_t* words);
  // Number i has word first + i. y may be x.
  void (*dropout)(std::size_t n, const DropoutRule<T>& rule, const RandomStream& stream, std::uint64_t first,
                  const T* x, T* y);
  // y[i] = low + width * u in double, where u is the middle of part word first + i of 2^32 equal ones of (0, 1).
  void (*uniform)(std::size_t n, double low, double width, const RandomStream& stream, std::uint64_t first, T* y);
  // y[i] = x[i] + std * z[i], rounded once more than std * z[i], for numbers z of the standard normal distribution, each
  // told in double from the random words 2 i and 2 i + 1. y may be x.
  void (*add_normal)(std::size_t n, double std, const std::uint32_t* words, const T* x, T* y);
};

// What a loss is told beside outputs and targets; csrc/ops/loss.cpp says what each of them reads, and its names.
template <class T>
struct LossSettings {
  T first = 0, second = 0;
  const T* weights = nullptr;    // of the outputs
  std::size_t weight_count = 0;  // 0: all are 1; 1: all are that
};

// A loss of m rows of n outputs y that lie without gaps, like the targets t. loss[i] is the row's own loss, without
// scale; dy, unless null, is scale[i] * the gradient of loss[i]. dy may be y. Several weights are those of the n
// outputs or, for rows of one output, of row i as output i % weight_count.
template <class T>
struct LossKernel {
  using Dense = void (*)(std::size_t m, std::size_t n, const LossSettings<T>&, const T* y, const T* t, const T* scale,
                         T* loss, T* dy);
  using Indexed = void (*)(std::size_t m, std::size_t n, const LossSettings<T>&, const T* y, const std::int32_t* t,
                           const T* scale, T* loss, T* dy);
  const char* name;
  Dense dense;
  Indexed indexed;  // targets are class labels in [0, n); null: it takes none
};
template <class T>
struct LossKernels {
  const LossKernel<T>* losses;
  std::size_t loss_count;
};

template <class T>
struct ReduceKernels {
  // sum[j] = start[j] + sum over i of x[i, j], each a chain over i in increasing order that starts from start (null:
  // zero), which may be sum.
  void (*column_sums)(std::size_t m, std::size_t n, const T* x, std::ptrdiff_t x_row, const T* start, T* sum);
  // Adds the sum over i of x[i, j]^2 to sum[j], a chain over i in increasing order in double. No overlap.
  void (*column_squares)(std::size_t m, std::size_t n, const T* x, std::ptrdiff_t x_row, double* sum);
  std::size_t (*count_nonfinite)(std::size_t n, const T* x);  // how many are NaN or infinite
};

// Columns of m rows and n columns, each with numbers of its own: mean, scale and the others are n long. Sums are chains
// over the rows in increasing order.
template <class T>
struct NormalizeKernels {
  // mean[j] of x[., j], and squares[j] = sum of (x[i, j] - mean[j])^2; m > 0.
  void (*moments)(std::size_t m, std::size_t n, const T* x, std::ptrdiff_t x_row, T* mean, T* squares);
  // y = (x - mean) * scale + shift; y may be x.
  void (*forward)(std::size_t m, std::size_t n, const T* x, std::ptrdiff_t x_row, const T* mean, const T* scale,
                  const T* shift, T* y, std::ptrdiff_t y_row);
  // sum[j] = sum of dy[i, j], dot[j] = sum of dy[i, j] (x[i, j] - mean[j]).
  void (*backward_sums)(std::size_t m, std::size_t n, const T* dy, std::ptrdiff_t dy_row, const T* x,
                        std::ptrdiff_t x_row, const T* mean, T* sum, T* dot);
  // dx = scale * (dy - c0 - (x - mean) * c1); dx may be dy.
  void (*backward)(std::size_t m, std::size_t n, const T* dy, std::ptrdiff_t dy_row, const T* x, std::ptrdiff_t x_row,
                   const T* mean, const T* scale, const T* c0, const T* c1, T* dx, std::ptrdiff_t dx_row);
};

// Rows of n numbers that lie without gaps, m of them, each with numbers of its own: xhat = (x - mean) * inverse, and
// moments holds mean and inverse = 1 / sqrt(variance + eps) of every row. Sums along a row fold virtual lanes. `rms_norm`
// takes 0 for the mean, so that the variance is the mean of x^2, and the gradient has no mean of g.
template <class T>
struct RowNormKernels {
  // y = xhat * weight + bias; weight and bias (null: 1 and 0) are n long.
  void (*forward)(std::size_t m, std::size_t n, T eps, const T* x, const T* weight, const T* bias, T* moments, T* y);
  // dx = inverse * (g - mean of g - xhat * mean of g xhat) with g = dy * weight; dx may be dy.
  void (*backward)(std::size_t m, std::size_t n, const T* x, const T* moments, const T* weight, const T* dy, T* dx);
  // Adds dy[i, j] xhat[i, j], or dy[i, j] where x is null, to sum[j] for j < cols of rows that lie n apart: a chain over
  // i in increasing order, from what is there.
  void (*weight_sums)(std::size_t m, std::size_t n, std::size_t cols, const T* x, const T* moments, const T* dy,
                      T* sum);
};

// A window that moves over one axis of an image, and over zeros around it.
struct PoolAxis {
  std::size_t in, out, kernel, stride, padding;
};
// Windows over images of H, W, C, one after the other; lanes run over the channels.
template <class T>
struct PoolKernels {
  // The largest number of each window; NaN counts as larger. Backward finds the first such again, in order of lines.
  void (*max)(std::size_t channels, const PoolAxis& h, const PoolAxis& w, const T* x, T* y);
  void (*max_backward)(std::size_t channels, const PoolAxis& h, const PoolAxis& w, const T* x, const T* dy, T* dx);
  // The sum of each window over its size, or with `inside` over how much of it lies in the image.
  void (*average)(std::size_t channels, const PoolAxis& h, const PoolAxis& w, bool inside, const T* x, T* y);
  void (*average_backward)(std::size_t channels, const PoolAxis& h, const PoolAxis& w, bool inside, const T* dy, T* dx);
};

// What samples may be stored as to be read where they lie.
enum class NumberType : int { float32, float64, uint8, count };

// y = T(x) * scale for n numbers x of one type: rounded to T, then multiplied in T, so the same bits on every
// instruction set, baseline too. y does not overlap x.
template <class T>
using Convert = void (*)(std::size_t n, const void* x, T scale, T* y);
// The same with y's numbers `step` apart: a channel of an image among others.
template <class T>
using ConvertApart = void (*)(std::size_t n, const void* x, T scale, T* y, std::size_t step);
template <class T>
struct ConvertKernels {
  Convert<T> from[static_cast<int>(NumberType::count)];
  ConvertApart<T> apart_from[static_cast<int>(NumberType::count)];
};

// Independent chains x = x * factor + addend in every lane, `steps` links long: as many FMAs a cycle as the CPU can do.
// Chain i starts from i. Returns the sum of all chains in one lane.
template <class T>
struct PeakKernels {
  std::size_t chains, lanes;
  T (*run)(std::size_t steps, T factor, T addend);
};

// The kernels of one instruction set for one type of number, by concept: one field a source file, but for two that have
// the same functions, as softmax and log_softmax.
template <class T>
struct KernelTable {
  const GemmKernels<T>& gemm;
  const LayoutKernels<T>& layout;
  const ElementwiseKernels<T>& elementwise;
  const SoftmaxKernels<T>& softmax;
  const SoftmaxKernels<T>& log_softmax;
  const PReLUKernels<T>& prelu;
  const NoiseKernels<T>& noise;
  const LossKernels<T>& loss;
  const ReduceKernels<T>& reduce;
  const NormalizeKernels<T>& normalize;
  const RowNormKernels<T>& row_norm;
  const RowNormKernels<T>& rms_norm;
  const PoolKernels<T>& pool;
  const RecurrentKernels<T>& recurrent;
  const UpdateKernels<T>& update;
  const ConvertKernels<T>& convert;
  const PeakKernels<T>& peak;
  const TinyKernels<T>& tiny;
  bool flush_subnormals;  // in training: part of the instruction set's bits (nn::Network::float_mode)
};

struct Tables {
  KernelTable<float> f32;
  KernelTable<double> f64;
  template <class T>
  const KernelTable<T>& get() const {
    if constexpr (sizeof(T) == 4)
      return f32;
    else
      return f64;
  }
};

}  // namespace nnext::kernels
