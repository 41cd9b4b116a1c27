// The layout in which kernels want the right operand of a product: columns in panels, each panel row-major and
// contiguous.
//
//   b[k, n] -> panel[n / width][k][width], the last panel padded with zeros
#pragma once

#include <algorithm>

#include "core/view.h"
#include "kernels/kernel_table.h"
#include "runtime/cancel.h"

namespace nnext::ops {

using core::ConstMatrix;
using core::Matrix;
using core::Size;
using core::Stride;
using kernels::KernelTable;

struct PanelLayout {
  Size rows = 0, cols = 0, width = 1;

  PanelLayout() = default;
  // The widest panel the kernels know, or just enough vectors when there are fewer columns: n = 10 takes one vector.
  template <class T>
  PanelLayout(const KernelTable<T>& kernels, Size rows_, Size cols_)
      : rows(rows_),
        cols(cols_),
        width(kernels.gemm.vector_lanes *
              std::min(kernels.gemm.panel_vectors, core::divide_up(cols_, kernels.gemm.vector_lanes))) {}

  Size panels() const { return cols - 1 < width ? 1 : core::divide_up(cols, width); }
  Size size() const { return core::checked_product(core::checked_product(panels(), rows), width); }
  Size panel_cols(Size panel) const { return std::min(width, cols - panel * width); }
  Size offset(Size row, Size col) const { return (col / width * rows + row) * width + col % width; }
};

template <class T>
struct Panels {
  T* data;
  PanelLayout layout;

  T* panel(Size p) const { return data + p * layout.rows * layout.width; }
  T& operator()(Size row, Size col) const { return data[layout.offset(row, col)]; }
};

// panels[k, n] = matrix[n, k], whose rows lie without gaps, and back; unfinished where the host asks to stop, which it
// is not without a `cancel`.
template <class T>
void to_panels(const KernelTable<T>& kernels, const T* matrix, Panels<T> panels, runtime::Cancel* cancel);
template <class T>
void from_panels(const KernelTable<T>& kernels, Panels<const T> panels, T* matrix, runtime::Cancel* cancel);

// Rows of one panel.
struct PanelRows {
  Size panel, first, count;
};

// transposed[j + down, i - left] = panels[i, j] for rows and columns of a part of a panel.
struct Shift {
  Size down = 0, left = 0;
};
template <class T>
void transpose_piece(const KernelTable<T>& kernels, Panels<const T> panels, PanelRows part, Panels<T> transposed,
                     Shift shift = {});

}  // namespace nnext::ops
