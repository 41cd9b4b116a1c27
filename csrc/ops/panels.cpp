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
void transpose_piece(const KernelTable<T>& kernels, Panels<const T> panels, PanelRows part, Panels<T> transposed,
                     Shift shift) {
  const PanelLayout& from = panels.layout;
  const Size cols = from.panel_cols(part.panel), width = transposed.layout.width;
  for (Size i = part.first, rows; i < part.first + part.count; i += rows) {  // up to the edge of a transposed panel
    rows = std::min(width - (i - shift.left) % width, part.first + part.count - i);
    kernels.layout.transpose(
        rows, cols, panels.panel(part.panel) + i * from.width, static_cast<Stride>(from.width),
        transposed.data + transposed.layout.offset(part.panel * from.width + shift.down, i - shift.left),
        static_cast<Stride>(width));
  }
}

template void to_panels(ConstMatrix<float>, Panels<float>);
template void to_panels(ConstMatrix<double>, Panels<double>);
template void from_panels(Panels<const float>, Matrix<float>);
template void from_panels(Panels<const double>, Matrix<double>);
template void transpose_piece(const KernelTable<float>&, Panels<const float>, PanelRows, Panels<float>, Shift);
template void transpose_piece(const KernelTable<double>&, Panels<const double>, PanelRows, Panels<double>, Shift);

}  // namespace nnext::ops
