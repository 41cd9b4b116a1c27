// The affine map y = x * w + b and its gradients, each for any share of the rows or of the weights.
#pragma once

#include "ops/panels.h"
#include "runtime/team.h"

namespace nnext::ops {

// y[m, out] = x[m, in] * w[in, out] + b[out] for the columns of some panels of w; b may be null. x and y have
// contiguous columns.
// With w transposed and without b it is the gradient of the input: dx[m, in] = dy[m, out] * w^T[out, in].
// Like the next one unfinished where `me` should stop.
template <class T>
void linear(const KernelTable<T>& kernels, const runtime::Member& me, const ConstMatrix<T>& x, const Panels<const T>& w,
            runtime::Range panels, const T* b, const Matrix<T>& y);

// dw = x[m, in]^T * dy[m, out] for a part of a panel, in the panel's own layout: rows of layout.width, contiguous, the
// padding zero. Where it `continues`, dw += that: the same chains over m go on. b[out] needs
// KernelTable::reduce.column_sums.
template <class T>
void linear_weight_gradient(const KernelTable<T>& kernels, const runtime::Member& me, ConstMatrix<T> x,
                            ConstMatrix<T> dy, const PanelLayout& layout, PanelRows part, bool continues, T* dw,
                            const kernels::Prefetch& prefetch);

// The same where dw is not written but a step applied to `weights`, that part of the panel. At most gemm.block_k rows.
// Where there is but one, and the part is all of the panel, the next one's product with it can be had beside.
template <class T>
void linear_step(const KernelTable<T>& kernels, ConstMatrix<T> x, ConstMatrix<T> dy, const PanelLayout& layout,
                 PanelRows part, const kernels::InPlace<T>& weights, const kernels::NextRow<T>& next,
                 const kernels::Prefetch& prefetch);

}  // namespace nnext::ops
