// The matrix product of one panel: c[m, n] = init + a[m, k] * b[k, n], n up to one panel.
//
// The tile of c stays in registers: tile_rows(vectors) x vectors accumulators, fed by broadcasts of a and vectors of b.
// avx512: 6 x 4 = 24 of 32 registers; 10 loads feed 24 FMAs. 14 x 2 needs 16 for 28 and lost 5 to 20 % of the speed,
// most with rows of a that fight for cache sets. Narrower panels take more rows: two FMA ports with a latency of 4 are
// full from 8 chains on. avx2: 6 x 2 = 12 of 16. neon: 8 x 3 = 24 of 32. One template makes every edge.
//
// The chain over k may be cut into runs, which makes a convolution without im2col: with images H, W, C and weights as
// panels [kh, kw, c][columns], pixels of a line are rows and a line of the window is a run, as kw and c lie together.
#include "kernels/parts.h"
#include "kernels/plain_sgd.h"
#include "kernels/simd/ask_for.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

#if defined(NNEXT_ISA_avx512)
constexpr int kPanelVectors = 4;
constexpr int tile_rows(int vectors) { return vectors == 4 ? 6 : vectors == 3 ? 8 : 12; }
#elif defined(NNEXT_ISA_neon)
constexpr int kPanelVectors = 3;
constexpr int tile_rows(int) { return 8; }
#else
constexpr int kPanelVectors = 2;
constexpr int tile_rows(int) { return 6; }
#endif

constexpr ptrdiff_t kPrefetchRows = 12;  // of b, ahead of the one in use: 3 KB of a panel of 64 columns

// How the elements of a lie: at(r) is a(r, p) for row r of the tile at the step p reached.
template <class T>
struct RowsTogether {                       // a_row == 1: a transposed operand, or a packed one
  static constexpr bool kStreamsB = false;  // a weight gradient's b is small and used again and again
  const T* a;
  ptrdiff_t a_k;
  RowsTogether(const T* first, const PanelProduct<T>& p) : a(first), a_k(p.a_k) {}
  T at(int r) const { return a[r]; }
  void next() { a += a_k; }
};
template <class T, int Rows>
struct RowsApart {  // a_k == 1: a row-major operand. One pointer per three rows, so that addresses are base + {0, 1, 2}
                    // * row.
  static constexpr bool kStreamsB = true;  // panels of weights come from L2: 4 to 6 % of a 256 x 784 x 512 product
  static constexpr int kPointers = (Rows + 2) / 3;
  const T* base[kPointers];
  ptrdiff_t a_row;
  RowsApart(const T* first, const PanelProduct<T>& p) : a_row(p.a_row) {
    for (int i = 0; i < kPointers; ++i) base[i] = first + 3 * i * a_row;
  }
  T at(int r) const { return base[r / 3][(r % 3) * a_row]; }
  void next() {
    for (int i = 0; i < kPointers; ++i) ++base[i];
  }
};

// One tile of Rows x (Vectors vectors, the last of them `last` wide). `first` is a's. The struct A is made in here: as
// an argument it would pass through memory, and its load would wait until the last tile's stores have left the core
// (8 % of a product of 512^3).
template <class T, int Rows, int Vectors, class A, class Last>
inline void multiply_tile(const PanelProduct<T>& p, const T* first, Last last, const T* init, T* c) {
  Vec<T> acc[Rows][Vectors];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      if (init == nullptr) {
        acc[r][v] = Vec<T>{};
      } else {
        const T* from = init + r * p.init_row + v * kLanes<T>;
        acc[r][v] = v + 1 == Vectors ? load(last, from) : load(from);
      }
    }
  }
  const ptrdiff_t b_k = p.b_k, c_row = p.c_row;
  if (init == c || p.step != nullptr) {  // the next tile's, which will be read
#pragma GCC unroll 16
    for (int r = Rows; r < 2 * Rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) __builtin_prefetch(c + r * c_row + v * kLanes<T>, 1);
    }
  }
  for (const Run *run = p.run, *end = run + p.runs; run != end; ++run) {
    A a(first + run->a, p);
    const T* b = p.b + run->b;
    for (size_t step = p.k; step > 0; --step) {
      if constexpr (A::kStreamsB) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) __builtin_prefetch(b + kPrefetchRows * b_k + v * kLanes<T>);
      }
      Vec<T> bv[Vectors];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v)
        bv[v] = v + 1 == Vectors ? load(last, b + v * kLanes<T>) : load(b + v * kLanes<T>);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const Vec<T> av = broadcast(a.at(r));
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) acc[r][v] = fma(av, bv[v], acc[r][v]);
      }
      a.next();
      b += b_k;
    }
  }
  if constexpr (!A::kStreamsB)
    // A gradient that is applied from the registers need not be written and read again. A loop of its own: with the stores
    // below a step of 8 rows takes 2.5% longer.
    if (p.step != nullptr) {
      const PlainSgd<T> sgd(*p.step);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
          T* to = c + r * c_row + v * kLanes<T>;
          if (v + 1 == Vectors)
            store(last, to, sgd(load(last, to), acc[r][v]));
          else
            store(to, sgd(load(to), acc[r][v]));
        }
      }
      return;
    }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      T* to = c + r * c_row + v * kLanes<T>;
      if (v + 1 == Vectors)
        store(last, to, acc[r][v]);
      else
        store(to, acc[r][v]);
    }
  }
}

// A tile of 1 .. Rows rows.
template <class T, int Rows, int Vectors, class Last>
inline void multiply_rows_of(size_t rows, const PanelProduct<T>& p, const T* a, Last last, const T* init, T* c) {
  if (rows != Rows) {
    if constexpr (Rows > 1) multiply_rows_of<T, Rows - 1, Vectors>(rows, p, a, last, init, c);
  } else if (p.a_row == 1) {
    multiply_tile<T, Rows, Vectors, RowsTogether<T>>(p, a, last, init, c);
  } else {
    multiply_tile<T, Rows, Vectors, RowsApart<T, Rows>>(p, a, last, init, c);
  }
}

// The last two tiles share their rows: 6 + 2 rows of avx2 would take 6 + 4 cycles a step, as 2 rows are too few chains
// to fill the FMA ports, and 4 + 4 take 8.
inline size_t rows_of_tile(size_t left, size_t rows) {
  if (left >= 2 * rows) return rows;
  return left > rows ? (left + 1) / 2 : left;
}

template <class T, int Vectors, class Last>
void multiply_rows(const PanelProduct<T>& p, Last last) {
  for (size_t i = 0; i < p.m;) {
    const size_t rows = rows_of_tile(p.m - i, tile_rows(Vectors));
    ask_for(p.prefetch, i, i + rows, p.m);
    const T* a = p.a + static_cast<ptrdiff_t>(i) * p.a_row;
    const T* init = p.init == nullptr ? nullptr : p.init + static_cast<ptrdiff_t>(i) * p.init_row;
    T* c = p.c + static_cast<ptrdiff_t>(i) * p.c_row;
    multiply_rows_of<T, tile_rows(Vectors), Vectors>(rows, p, a, last, init, c);
    i += rows;
  }
}

template <class T, int Vectors>
void multiply_columns(const PanelProduct<T>& p) {
  if (p.n == Vectors * kLanes<T>)
    multiply_rows<T, Vectors>(p, Whole{});
  else if (p.n > (Vectors - 1) * kLanes<T>)
    multiply_rows<T, Vectors>(p, Part<T>(static_cast<int>(p.n - (Vectors - 1) * kLanes<T>)));
  else if constexpr (Vectors > 1)
    multiply_columns<T, Vectors - 1>(p);
}

template <class T>
void multiply_panel(const PanelProduct<T>& p) {
  multiply_columns<T, kPanelVectors>(p);
}

// `Vectors` vectors of c from column j on; those from `Panel` on are in the next panel.
template <class T, int Panel, int Vectors>
inline void multiply_vectors(const RowProduct<T>& p, size_t j) {
  constexpr int kFirst = Vectors < Panel ? Vectors : Panel;
  const size_t rest = p.n - j - (Vectors - 1) * kLanes<T>;
  const Part<T> last(rest < kLanes<T> ? static_cast<int>(rest) : kLanes<T>);
  Vec<T> acc[Vectors] = {};
  if (p.init != nullptr) {
#pragma GCC unroll 8
    for (int v = 0; v + 1 < Vectors; ++v) acc[v] = load(p.init + j + v * kLanes<T>);
    acc[Vectors - 1] = load(last, p.init + j + (Vectors - 1) * kLanes<T>);
  }
  const T* b = p.b + j * p.k;
  const T* next = b + p.width * p.k;
  for (size_t step = 0; step < p.k; ++step, b += p.width, next += p.width) {
    const Vec<T> a = broadcast(p.a[step]);
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v)
      acc[v] = fma(a, load(v < kFirst ? b + v * kLanes<T> : next + (v - kFirst) * kLanes<T>), acc[v]);
  }
#pragma GCC unroll 8
  for (int v = 0; v + 1 < Vectors; ++v) store(p.c + j + v * kLanes<T>, acc[v]);
  store(last, p.c + j + (Vectors - 1) * kLanes<T>, acc[Vectors - 1]);
}

template <class T, int Panel, int Vectors>
inline void multiply_last_vectors(const RowProduct<T>& p, size_t j) {
  if (p.n - j > (Vectors - 1) * kLanes<T>)
    multiply_vectors<T, Panel, Vectors>(p, j);
  else if constexpr (Vectors > 1)
    multiply_last_vectors<T, Panel, Vectors - 1>(p, j);
}

template <class T, int Panel>
void multiply_row_of(const RowProduct<T>& p) {
  constexpr size_t kPair = 2 * Panel * kLanes<T>;
  for (size_t j = 0; j < p.n; j += kPair) {
    if (p.n - j > kPair)
      multiply_vectors<T, Panel, 2 * Panel>(p, j);
    else
      multiply_last_vectors<T, Panel, 2 * Panel>(p, j);
  }
}

template <class T>
void multiply_row(const RowProduct<T>& p) {
  if constexpr (kPanelVectors > 3)
    if (p.width == 3 * kLanes<T>) return multiply_row_of<T, 3>(p);
  multiply_row_of<T, kPanelVectors>(p);
}

template <class T>
constexpr GemmKernels<T> make_gemm() {
  return {.vector_lanes = kLanes<T>,
          .panel_vectors = kPanelVectors,
          .tile_rows = tile_rows(kPanelVectors),
          .block_k = 1024,
          .multiply_panel = multiply_panel<T>,
          .multiply_row = multiply_row<T>};
}

}  // namespace

constinit const GemmKernels<float> gemm_f32 = make_gemm<float>();
constinit const GemmKernels<double> gemm_f64 = make_gemm<double>();

}  // namespace nnext::kernels::NNEXT_ISA
