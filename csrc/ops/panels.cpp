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
void transpose_piece(Panels<const T> panels, Size p, Size first, Size count, Panels<T> transposed) {
  const PanelLayout& from = panels.layout;
  const Size cols = from.panel_cols(p);
  const T* source = panels.panel(p);
  // Eight rows at a time: each read takes a column of a block that is in L1, each write fills part of one cache line. A
  // block must not cross the edge of a transposed panel, whose width need not be a multiple of eight (neon: 6 and 12).
  constexpr Size kBlock = 8;
  const Size width = transposed.layout.width;
  for (Size i0 = first, rows; i0 < first + count; i0 += rows) {
    const Size column = i0 % width;
    rows = std::min({kBlock - column % kBlock, width - column, first + count - i0});
    T* to = transposed.data + transposed.layout.offset(p * from.width, i0);
    for (Size j = 0; j < cols; ++j)
      for (Size i = 0; i < rows; ++i) to[j * width + i] = source[(i0 + i) * from.width + j];
  }
}

template void to_panels(ConstMatrix<float>, Panels<float>);
template void to_panels(ConstMatrix<double>, Panels<double>);
template void from_panels(Panels<const float>, Matrix<float>);
template void from_panels(Panels<const double>, Matrix<double>);
template void transpose_piece(Panels<const float>, Size, Size, Size, Panels<float>);
template void transpose_piece(Panels<const double>, Size, Size, Size, Panels<double>);

}  // namespace nnext::ops
