#include "ops/panels.h"

namespace nnext::ops {

template <class T>
void to_panels(ConstMatrix<T> matrix, Panels<T> panels) {
  for (Size j = 0; j < matrix.cols; ++j)
    for (Size i = 0; i < matrix.rows; ++i) panels(i, j) = matrix(i, j);
}

template <class T>
void from_panels(Panels<const T> panels, Matrix<T> matrix) {
  for (Size j = 0; j < matrix.cols; ++j)
    for (Size i = 0; i < matrix.rows; ++i) matrix(i, j) = panels(i, j);
}

template <class T>
void transpose_piece(const KernelTable<T>& kernels, Panels<const T> panels, Size p, Size first, Size count,
                     Panels<T> transposed) {
  const PanelLayout& from = panels.layout;
  const Size cols = from.panel_cols(p), width = transposed.layout.width;
  for (Size i = first, rows; i < first + count; i += rows) {  // up to the edge of a transposed panel
    rows = std::min(width - i % width, first + count - i);
    kernels.layout.transpose(rows, cols, panels.panel(p) + i * from.width, static_cast<Stride>(from.width),
                             transposed.data + transposed.layout.offset(p * from.width, i), static_cast<Stride>(width));
  }
}

template void to_panels(ConstMatrix<float>, Panels<float>);
template void to_panels(ConstMatrix<double>, Panels<double>);
template void from_panels(Panels<const float>, Matrix<float>);
template void from_panels(Panels<const double>, Matrix<double>);
template void transpose_piece(const KernelTable<float>&, Panels<const float>, Size, Size, Size, Panels<float>);
template void transpose_piece(const KernelTable<double>&, Panels<const double>, Size, Size, Size, Panels<double>);

}  // namespace nnext::ops
