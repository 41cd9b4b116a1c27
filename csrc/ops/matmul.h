// c = a * b for any strides of a and b.
#pragma once

#include "ops/panels.h"
#include "runtime/cancel.h"

namespace nnext::ops {

// c[m, n] = a[m, k] * b[k, n] on the team. c's columns must be contiguous; c must not overlap a or b.
// Unfinished when the host asks to stop.
template <class T>
void matmul(const KernelTable<T>& kernels, ConstMatrix<T> a, ConstMatrix<T> b, Matrix<T> c, runtime::Cancel& cancel);

}  // namespace nnext::ops
