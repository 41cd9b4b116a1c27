// The matrix product of one panel: c[m, n] = init + a[m, k] * b[k, n], n up to one panel.
//
// The tile of c stays in registers: kTileRows x kPanelVectors accumulators, fed by broadcasts of a and vectors of b.
// avx512: 14 x 2 = 28 of 32 registers; 16 loads feed 28 FMAs, so two load ports and two FMA ports leave the FMAs the
// limit. avx2: 6 x 2 = 12 of 16. neon: 8 x 3 = 24 of 32. One template makes every edge.
#include "kernels/parts.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

#if defined(NNEXT_ISA_avx512)
constexpr int kTileRows = 14, kPanelVectors = 2;
#elif defined(NNEXT_ISA_neon)
constexpr int kTileRows = 8, kPanelVectors = 3;
#else
constexpr int kTileRows = 6, kPanelVectors = 2;
#endif

// How the elements of a lie: a(r, p) for row r of the tile and step p of the product.
template <class T>
struct RowsTogether {  // a_row == 1: a transposed operand, or a packed one
  const T* a;
  ptrdiff_t a_k;
  T at(int r) const { return a[r]; }
  void next() { a += a_k; }
};
template <class T>
struct RowsApart {  // a_k == 1: a row-major operand. One pointer per three rows, so that addresses are base + {0, 1, 2}
                    // * row.
  static constexpr int kPointers = (kTileRows + 2) / 3;
  const T* base[kPointers];
  ptrdiff_t a_row;
  RowsApart(const T* a, ptrdiff_t row) : a_row(row) {
    for (int i = 0; i < kPointers; ++i) base[i] = a + 3 * i * row;
  }
  T at(int r) const { return base[r / 3][(r % 3) * a_row]; }
  void next() {
    for (int i = 0; i < kPointers; ++i) ++base[i];
  }
};

// One tile of Rows x (Vectors vectors, the last of them `last` wide).
template <class T, int Rows, int Vectors, class Last, class A>
inline void multiply_tile(const PanelProduct<T>& p, A a, Last last, const T* init, T* c) {
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
  const T* b = p.b;
  const ptrdiff_t b_k = p.b_k, c_row = p.c_row;
  for (size_t step = p.k; step > 0; --step) {
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

// The rows that are left after the whole tiles: the one of 1 .. kTileRows - 1 that fits.
template <class T, int Rows, int Vectors, class Last, class A>
inline void multiply_edge(size_t rows, const PanelProduct<T>& p, A a, Last last, const T* init, T* c) {
  if (rows == Rows)
    multiply_tile<T, Rows, Vectors>(p, a, last, init, c);
  else if constexpr (Rows > 1)
    multiply_edge<T, Rows - 1, Vectors>(rows, p, a, last, init, c);
}

// The last two tiles share their rows: 6 + 2 rows of avx2 would take 6 + 4 cycles a step, as 2 rows are too few chains
// to fill the FMA ports, and 4 + 4 take 8.
inline size_t rows_of_tile(size_t left) {
  if (left >= 2 * kTileRows) return kTileRows;
  return left > kTileRows ? (left + 1) / 2 : left;
}

template <class T, int Vectors, class Last>
void multiply_rows(const PanelProduct<T>& p, Last last) {
  for (size_t i = 0; i < p.m;) {
    const size_t rows = rows_of_tile(p.m - i);
    const T* a = p.a + static_cast<ptrdiff_t>(i) * p.a_row;
    const T* init = p.init == nullptr ? nullptr : p.init + static_cast<ptrdiff_t>(i) * p.init_row;
    T* c = p.c + static_cast<ptrdiff_t>(i) * p.c_row;
    if (p.a_row == 1)
      multiply_edge<T, kTileRows, Vectors>(rows, p, RowsTogether<T>{a, p.a_k}, last, init, c);
    else
      multiply_edge<T, kTileRows, Vectors>(rows, p, RowsApart<T>(a, p.a_row), last, init, c);
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

template <class T>
constexpr GemmKernels<T> make_gemm() {
  return {.vector_lanes = kLanes<T>,
          .panel_vectors = kPanelVectors,
          .tile_rows = kTileRows,
          .block_k = 384,
          .multiply_panel = multiply_panel<T>};
}

}  // namespace

constinit const GemmKernels<float> gemm_f32 = make_gemm<float>();
constinit const GemmKernels<double> gemm_f64 = make_gemm<double>();

}  // namespace nnext::kernels::NNEXT_ISA
