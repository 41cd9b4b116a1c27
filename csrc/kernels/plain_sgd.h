// The step of SGD without a velocity, for kernels that have the gradient in registers.
#pragma once

#include "kernels/simd/simd.h"
#include "kernels/update.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// Operation for operation what update.kernel.cpp makes of a gradient in memory.
template <class T>
struct PlainSgd {
  Vec<T> minus_lr, decay;

  explicit PlainSgd(const SgdStep<T>& step) : minus_lr(broadcast(-step.lr)), decay(broadcast(step.weight_decay)) {}
  Vec<T> operator()(Vec<T> weight, Vec<T> gradient) const {
    return fma(minus_lr, fma(decay, weight, gradient), weight);
  }
  // On `Vectors` vectors, the last of them `last` wide; gradient(v) is that of one, changed(v, w) sees what becomes of it.
  template <int Vectors, class Last, class F, class G>
  void apply(Last last, T* w, F gradient, G changed) const {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      T* const at = w + v * kLanes<T>;
      const bool whole = v + 1 < Vectors;
      const Vec<T> to = (*this)(whole ? load(at) : load(last, at), gradient(v));
      whole ? store(at, to) : store(last, at, to);
      changed(v, to);
    }
  }
  template <int Vectors, class Last, class F>
  void apply(Last last, T* w, F gradient) const {
    apply<Vectors>(last, w, gradient, [](int, Vec<T>) {});
  }
};

// `Vectors` numbers side by side, the last of them `last` wide.
template <class T, int Vectors, class Last>
void load_vectors(Last last, const T* from, Vec<T> (&to)[Vectors]) {
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v)
    to[v] = v + 1 == Vectors ? load(last, from + v * kLanes<T>) : load(from + v * kLanes<T>);
}

// `Vectors` vectors of columns, the last of them `last` wide: dy stays in registers, so that L2 is read and written as
// quickly as it can be: tiles of a product take 1.5 times as long for one row. So do the sums of the next row.
template <class T, int Vectors, bool Ahead, class Last>
void sgd_outer_of(const OuterGradient<T>& g, const SgdStep<T>& step, const NextRow<T>& next, Last last, size_t col,
                  T* w) {
  const PlainSgd<T> sgd(step);
  Vec<T> slopes[Vectors], sums[Vectors] = {};
  load_vectors<T>(last, g.dy + col, slopes);
  if (Ahead && next.init != nullptr) load_vectors<T>(last, next.init + col, sums);
  w += col;
  for (size_t i = 0; i < g.rows; ++i, w += g.width) {
    const Vec<T> x = broadcast(g.x[i]), next_x = Ahead ? broadcast(next.x[i]) : x;
    sgd.template apply<Vectors>(
        last, w, [&](int v) { return fma(x, slopes[v], Vec<T>{}); },
        [&](int v, Vec<T> changed) {
          if (Ahead) sums[v] = fma(next_x, changed, sums[v]);
        });
  }
  if (!Ahead) return;
#pragma GCC unroll 4
  for (int v = 0; v + 1 < Vectors; ++v) store(next.y + col + v * kLanes<T>, sums[v]);
  store(last, next.y + col + (Vectors - 1) * kLanes<T>, sums[Vectors - 1]);
}

template <class T, int Vectors, bool Ahead>
void sgd_outer_from(const OuterGradient<T>& g, const SgdStep<T>& step, const NextRow<T>& next, size_t col, T* w) {
  const size_t left = g.cols - col;
  if (left >= Vectors * kLanes<T>)
    sgd_outer_of<T, Vectors, Ahead>(g, step, next, Whole{}, col, w);
  else if (left > (Vectors - 1) * kLanes<T>)
    sgd_outer_of<T, Vectors, Ahead>(g, step, next, Part<T>(static_cast<int>(left - (Vectors - 1) * kLanes<T>)), col, w);
  else if constexpr (Vectors > 1)
    sgd_outer_from<T, Vectors - 1, Ahead>(g, step, next, col, w);
}

template <class T>
void sgd_outer(const OuterGradient<T>& g, const SgdStep<T>& step, const NextRow<T>& next, T* w) {
  constexpr int kAtOnce = 4;
  for (size_t col = 0; col < g.cols; col += kAtOnce * kLanes<T>)
    if (next.x != nullptr)
      sgd_outer_from<T, kAtOnce, true>(g, step, next, col, w);
    else
      sgd_outer_from<T, kAtOnce, false>(g, step, next, col, w);
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
