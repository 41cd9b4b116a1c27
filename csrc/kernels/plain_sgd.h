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
  // On `Vectors` vectors, the last of them `last` wide; gradient(v) is that of one.
  template <int Vectors, class Last, class F>
  void apply(Last last, T* w, F gradient) const {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      T* const at = w + v * kLanes<T>;
      if (v + 1 == Vectors)
        store(last, at, (*this)(load(last, at), gradient(v)));
      else
        store(at, (*this)(load(at), gradient(v)));
    }
  }
};

// `Vectors` vectors of columns, the last of them `last` wide: dy stays in registers, so that L2 is read and written as
// quickly as it can be: tiles of a product take 1.5 times as long for one row.
template <class T, int Vectors, class Last>
void sgd_outer_of(const OuterGradient<T>& g, const SgdStep<T>& step, Last last, const T* dy, T* w) {
  const PlainSgd<T> sgd(step);
  Vec<T> slopes[Vectors];
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v)
    slopes[v] = v + 1 == Vectors ? load(last, dy + v * kLanes<T>) : load(dy + v * kLanes<T>);
  const size_t width = g.width;
  for (const T *x = g.x, *end = x + g.rows; x != end; ++x, w += width) {
    const Vec<T> input = broadcast(*x);
    sgd.template apply<Vectors>(last, w, [&](int v) { return fma(input, slopes[v], Vec<T>{}); });
  }
}

template <class T, int Vectors>
void sgd_outer_from(const OuterGradient<T>& g, const SgdStep<T>& step, size_t col, T* w) {
  const size_t left = g.cols - col;
  if (left >= Vectors * kLanes<T>)
    sgd_outer_of<T, Vectors>(g, step, Whole{}, g.dy + col, w + col);
  else if (left > (Vectors - 1) * kLanes<T>)
    sgd_outer_of<T, Vectors>(g, step, Part<T>(static_cast<int>(left - (Vectors - 1) * kLanes<T>)), g.dy + col, w + col);
  else if constexpr (Vectors > 1)
    sgd_outer_from<T, Vectors - 1>(g, step, col, w);
}

template <class T>
void sgd_outer(const OuterGradient<T>& g, const SgdStep<T>& step, T* w) {
  constexpr int kAtOnce = 4;
  for (size_t col = 0; col < g.cols; col += kAtOnce * kLanes<T>) sgd_outer_from<T, kAtOnce>(g, step, col, w);
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
