// Forward and backward pass of a tiny network, all layers in one call.
//
// A product here is a few hundred cycles at most, so what counts is how soon it starts: one width of tile, no choice of
// panels or blocks. Eight chains of FMAs fill the ports; where rows are fewer, the core begins the next tile meanwhile.
#include "kernels/parts.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

constexpr int kMaxVectors = 2;  // of a layer's outputs
constexpr int kChains = 8;      // of a tile

template <class T>
constexpr size_t whole_vectors(size_t n) {
  return (n + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

// c[m, n] = init + a[m, k] * b[k, n], each element one chain over k in increasing order as in gemm.kernel.cpp.
template <class T>
struct Product {
  size_t m, n, k;
  const T* a;
  size_t a_stride;  // from row to row; where a is transposed, from step to step
  const T* b;
  size_t b_row;
  const T* init;  // of every row; null: zero
  T* c;
};

// a as it lies, and c's rows without gaps.
struct AsItLies {
  template <class T>
  static T at(const Product<T>& p, size_t row, size_t step) {
    return p.a[row * p.a_stride + step];
  }
  template <class T, int kVectors>
  static void store_row(const Product<T>& p, size_t row, const Vec<T> (&acc)[kVectors], Part<T> last) {
    T* to = p.c + row * p.n;
    if constexpr (kVectors > 1) store(to, acc[0]);
    store(last, to + (kVectors - 1) * kLanes<T>, acc[kVectors - 1]);
  }
};

// a transposed, and c's rows whole vectors with zeros behind n.
struct Transposed {
  template <class T>
  static T at(const Product<T>& p, size_t row, size_t step) {
    return p.a[step * p.a_stride + row];
  }
  template <class T, int kVectors>
  static void store_row(const Product<T>& p, size_t row, const Vec<T> (&acc)[kVectors], Part<T> last) {
    T* to = p.c + row * kVectors * kLanes<T>;
    if constexpr (kVectors > 1) store(to, acc[0]);
    store(to + (kVectors - 1) * kLanes<T>, keep(last, acc[kVectors - 1], Vec<T>{}));
  }
};

template <class T, class A, int kVectors, int kRows>
inline void multiply_tile(const Product<T>& p, size_t i, Part<T> last) {
  constexpr int kLast = kVectors - 1;
  Vec<T> start[kVectors] = {};
  if (p.init != nullptr) {
    if constexpr (kVectors > 1) start[0] = load(p.init);
    start[kLast] = load(last, p.init + kLast * kLanes<T>);
  }
  Vec<T> acc[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) acc[r][v] = start[v];
  }
  for (size_t step = 0; step < p.k; ++step) {
    const T* from = p.b + step * p.b_row;
    Vec<T> b[kVectors];
    if constexpr (kVectors > 1) b[0] = load(from);
    b[kLast] = load(last, from + kLast * kLanes<T>);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec<T> a = broadcast(A::at(p, i + r, step));
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) acc[r][v] = fma(a, b[v], acc[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) A::store_row(p, i + r, acc[r], last);
}

// Tiles of kRows rows as long as there are as many, then of half as many.
template <class T, class A, int kVectors, int kRows>
inline void multiply_rows(const Product<T>& p, size_t i, Part<T> last) {
  for (; i + kRows <= p.m; i += kRows) multiply_tile<T, A, kVectors, kRows>(p, i, last);
  if constexpr (kRows > 1) multiply_rows<T, A, kVectors, kRows / 2>(p, i, last);
}

template <class T, class A>
inline void multiply(const Product<T>& p) {
  if (p.n <= kLanes<T>)
    multiply_rows<T, A, 1, kChains>(p, 0, Part<T>(static_cast<int>(p.n)));
  else
    multiply_rows<T, A, 2, kChains / 2>(p, 0, Part<T>(static_cast<int>(p.n - kLanes<T>)));
}

// The sums of dy's columns as in reduce.kernel.cpp, whole vectors.
template <class T>
inline void sum_columns(size_t m, size_t n, const T* dy, T* sum) {
  for_each_vector<T>(n, [&](size_t j, auto part) {
    Vec<T> acc{};
    for (size_t i = 0; i < m; ++i) acc += load(part, dy + i * n + j);
    store(sum + j, acc);
  });
}

// A few numbers one by one: less than the exchanges of whole registers take (simd/transpose.h).
template <class T>
inline void transpose(const TinyLayer<T>& layer) {
  const size_t width = whole_vectors<T>(layer.out), transposed_width = whole_vectors<T>(layer.in);
  for (size_t i = 0; i < layer.in; ++i)
    for (size_t j = 0; j < layer.out; ++j) layer.transposed[j * transposed_width + i] = layer.weight[i * width + j];
}

template <class T>
void forward(const TinyLayer<T>* layers, size_t count, size_t rows, const T* x, size_t x_row) {
  for (const TinyLayer<T>* layer = layers; layer != layers + count; ++layer) {
    const size_t in = layer->in, out = layer->out;
    multiply<T, AsItLies>({rows, out, in, x, x_row, layer->weight, whole_vectors<T>(out), layer->bias, layer->y});
    if (layer->activation != nullptr) layer->activation->forward(rows * out, layer->arguments, layer->y, layer->y);
    if (layer->transposed != nullptr) transpose(*layer);
    x = layer->y, x_row = out;
  }
}

template <class T>
void backward(const TinyLayer<T>* layers, size_t count, size_t rows, const T* x, size_t x_row) {
  for (size_t l = count; l-- > 0;) {
    const TinyLayer<T>& layer = layers[l];
    const size_t in = layer.in, out = layer.out;
    T* dy = layer.dy;
    if (layer.activation != nullptr) layer.activation->backward(rows * out, layer.arguments, layer.y, dy, dy);
    if (layer.transposed != nullptr)
      multiply<T, AsItLies>(
          {rows, in, out, dy, out, layer.transposed, whole_vectors<T>(in), nullptr, layers[l - 1].dy});
    if (layer.dweight != nullptr)
      multiply<T, Transposed>(
          {in, out, rows, l == 0 ? x : layers[l - 1].y, l == 0 ? x_row : in, dy, out, nullptr, layer.dweight});
    if (layer.dbias != nullptr) sum_columns(rows, out, dy, layer.dbias);
    if (layer.transposed == nullptr) return;
  }
}

template <class T>
constexpr TinyKernels<T> make_tiny() {
  return {
      .vector_lanes = kLanes<T>, .max_out = kMaxVectors * kLanes<T>, .forward = forward<T>, .backward = backward<T>};
}

}  // namespace

constinit const TinyKernels<float> tiny_f32 = make_tiny<float>();
constinit const TinyKernels<double> tiny_f64 = make_tiny<double>();

}  // namespace nnext::kernels::NNEXT_ISA
