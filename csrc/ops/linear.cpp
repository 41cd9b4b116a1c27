#include "ops/linear.h"

#include <algorithm>

namespace nnext::ops {

template <class T>
void linear(const KernelTable<T>& kernels, const runtime::Member& me, const ConstMatrix<T>& x, const Panels<const T>& w,
            runtime::Range panels, const T* b, const Matrix<T>& y) {
  if (x.rows == 1 && panels.size() > 0) {
    const Size first = panels.begin * w.layout.width, last = std::min(panels.end * w.layout.width, w.layout.cols);
    return kernels.gemm.multiply_row({.n = last - first,
                                      .k = x.cols,
                                      .width = w.layout.width,
                                      .a = x.data,
                                      .b = w.panel(panels.begin),
                                      .init = b == nullptr ? nullptr : b + first,
                                      .c = y.data + first});
  }
  const Size block_k = kernels.gemm.block_k;
  for (Size p = panels.begin; p < panels.end && !me.stop(); ++p) {
    const Size col = p * w.layout.width;
    T* c = y.data + col;
    for (Size k = 0; k < x.cols; k += block_k) {
      const bool first = k == 0;
      const T* bias = b == nullptr ? nullptr : b + col;
      kernels.gemm.multiply_panel({.m = x.rows,
                                   .n = w.layout.panel_cols(p),
                                   .k = std::min(block_k, x.cols - k),
                                   .a = x.data + k,
                                   .a_row = x.row_stride,
                                   .a_k = 1,
                                   .b = w.panel(p) + k * w.layout.width,
                                   .b_k = static_cast<Stride>(w.layout.width),
                                   .init = first ? bias : c,
                                   .init_row = first ? 0 : y.row_stride,
                                   .c = c,
                                   .c_row = y.row_stride});
    }
  }
}

namespace {

// x^T dy for a part of a panel and rows [k, k + block_k) of both, where nothing else has been said.
template <class T>
kernels::PanelProduct<T> gradient_product(const KernelTable<T>& kernels, const ConstMatrix<T>& x,
                                          const ConstMatrix<T>& dy, const PanelLayout& layout, const PanelRows& part,
                                          Size k, T* to) {
  const auto width = static_cast<Stride>(layout.width);
  return {.m = part.count,
          .n = layout.panel_cols(part.panel),
          .k = std::min(kernels.gemm.block_k, x.rows - k),
          .a = x.row(k) + part.first,
          .a_row = 1,
          .a_k = x.row_stride,
          .b = dy.row(k) + part.panel * layout.width,
          .b_k = dy.row_stride,
          .init = nullptr,
          .init_row = width,
          .c = to,
          .c_row = width};
}

}  // namespace

template <class T>
void linear_weight_gradient(const KernelTable<T>& kernels, const runtime::Member& me, ConstMatrix<T> x,
                            ConstMatrix<T> dy, const PanelLayout& layout, PanelRows part, bool continues, T* dw,
                            const kernels::Prefetch& prefetch) {
  if (layout.panel_cols(part.panel) < layout.width && !continues) std::fill_n(dw, part.count * layout.width, T{0});
  for (Size k = 0; k < x.rows && !me.stop(); k += kernels.gemm.block_k) {
    kernels::PanelProduct<T> product = gradient_product(kernels, x, dy, layout, part, k, dw);
    if (k == 0) product.prefetch = prefetch;
    if (k > 0 || continues) product.init = dw;
    kernels.gemm.multiply_panel(product);
  }
}

template <class T>
void linear_step(const KernelTable<T>& kernels, ConstMatrix<T> x, ConstMatrix<T> dy, const PanelLayout& layout,
                 PanelRows part, const kernels::InPlace<T>& weights, const kernels::NextRow<T>& next,
                 const kernels::Prefetch& prefetch) {
  kernels::PanelProduct<T> product = gradient_product(kernels, x, dy, layout, part, 0, weights.values);
  if (product.k == 1)
    return kernels.update.sgd_outer({product.m, product.n, layout.width, product.a, product.b}, *weights.step, next,
                                    weights.values);
  product.prefetch = prefetch, product.step = weights.step;
  kernels.gemm.multiply_panel(product);
}

template void linear(const KernelTable<float>&, const runtime::Member&, const ConstMatrix<float>&,
                     const Panels<const float>&, runtime::Range, const float*, const Matrix<float>&);
template void linear(const KernelTable<double>&, const runtime::Member&, const ConstMatrix<double>&,
                     const Panels<const double>&, runtime::Range, const double*, const Matrix<double>&);
template void linear_weight_gradient(const KernelTable<float>&, const runtime::Member&, ConstMatrix<float>,
                                     ConstMatrix<float>, const PanelLayout&, PanelRows, bool, float*,
                                     const kernels::Prefetch&);
template void linear_step(const KernelTable<float>&, ConstMatrix<float>, ConstMatrix<float>, const PanelLayout&,
                          PanelRows, const kernels::InPlace<float>&, const kernels::NextRow<float>&,
                          const kernels::Prefetch&);
template void linear_weight_gradient(const KernelTable<double>&, const runtime::Member&, ConstMatrix<double>,
                                     ConstMatrix<double>, const PanelLayout&, PanelRows, bool, double*,
                                     const kernels::Prefetch&);
template void linear_step(const KernelTable<double>&, ConstMatrix<double>, ConstMatrix<double>, const PanelLayout&,
                          PanelRows, const kernels::InPlace<double>&, const kernels::NextRow<double>&,
                          const kernels::Prefetch&);

}  // namespace nnext::ops
