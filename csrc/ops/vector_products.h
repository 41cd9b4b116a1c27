// Products of a matrix whose rows lie `a_row` numbers apart and a vector, and of two vectors. Each number is one chain of
// FMAs in increasing order, from `init` (null: 0), which may be what is written.
#pragma once

#include "ops/panels.h"

namespace nnext::ops {

// y[m] = a[m, n] * v[n]
template <class T>
void matrix_times_vector(const KernelTable<T>& kernels, Size m, Size n, const T* a, const T* v, T* y) {
  kernels.gemm.multiply_panel({.m = m,
                               .n = 1,
                               .k = n,
                               .a = a,
                               .a_row = static_cast<Stride>(n),
                               .a_k = 1,
                               .b = v,
                               .b_k = 1,
                               .init = nullptr,
                               .init_row = 0,
                               .c = y,
                               .c_row = 1});
}

// y[n] = init[n] + v[m]^T * a[m, n]
template <class T>
void vector_times_matrix(const KernelTable<T>& kernels, Size m, Size n, const T* v, const T* a, Size a_row,
                         const T* init, T* y) {
  for (Size col = 0; col < n; col += kernels.gemm.panel())
    kernels.gemm.multiply_panel({.m = 1,
                                 .n = std::min(kernels.gemm.panel(), n - col),
                                 .k = m,
                                 .a = v,
                                 .a_row = 1,
                                 .a_k = 1,
                                 .b = a + col,
                                 .b_k = static_cast<Stride>(a_row),
                                 .init = init == nullptr ? nullptr : init + col,
                                 .init_row = 0,
                                 .c = y + col,
                                 .c_row = static_cast<Stride>(n)});
}

// c[m, n] = init[m, n] + v[m] * w[n]
template <class T>
void outer_product(const KernelTable<T>& kernels, Size m, Size n, const T* v, const T* w, const T* init, T* c) {
  for (Size col = 0; col < n; col += kernels.gemm.panel())
    kernels.gemm.multiply_panel({.m = m,
                                 .n = std::min(kernels.gemm.panel(), n - col),
                                 .k = 1,
                                 .a = v,
                                 .a_row = 1,
                                 .a_k = 1,
                                 .b = w + col,
                                 .b_k = static_cast<Stride>(n),
                                 .init = init == nullptr ? nullptr : init + col,
                                 .init_row = static_cast<Stride>(n),
                                 .c = c + col,
                                 .c_row = static_cast<Stride>(n)});
}

}  // namespace nnext::ops
