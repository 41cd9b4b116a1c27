#include "ops/panels.h"

namespace nnext::ops {

template <class T>
void to_panels(const KernelTable<T>& kernels, const T* matrix, Panels<T> panels, runtime::Cancel* cancel) {
  const PanelLayout& layout = panels.layout;
  runtime::for_parts(layout.panels(), 1, cancel, [&](Size p, Size) {
    kernels.layout.transpose(layout.panel_cols(p), layout.rows, matrix + p * layout.width * layout.rows,
                             static_cast<Stride>(layout.rows), panels.panel(p), static_cast<Stride>(layout.width));
  });
}

template <class T>
void from_panels(const KernelTable<T>& kernels, Panels<const T> panels, T* matrix, runtime::Cancel* cancel) {
  const PanelLayout& layout = panels.layout;
  runtime::for_parts(layout.panels(), 1, cancel, [&](Size p, Size) {
    kernels.layout.transpose(layout.rows, layout.panel_cols(p), panels.panel(p), static_cast<Stride>(layout.width),
                             matrix + p * layout.width * layout.rows, static_cast<Stride>(layout.rows));
  });
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

template void to_panels(const KernelTable<float>&, const float*, Panels<float>, runtime::Cancel*);
template void to_panels(const KernelTable<double>&, const double*, Panels<double>, runtime::Cancel*);
template void from_panels(const KernelTable<float>&, Panels<const float>, float*, runtime::Cancel*);
template void from_panels(const KernelTable<double>&, Panels<const double>, double*, runtime::Cancel*);
template void transpose_piece(const KernelTable<float>&, Panels<const float>, PanelRows, Panels<float>, Shift);
template void transpose_piece(const KernelTable<double>&, Panels<const double>, PanelRows, Panels<double>, Shift);

}  // namespace nnext::ops
