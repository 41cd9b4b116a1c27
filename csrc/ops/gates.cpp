#include "ops/gates.h"

#include <algorithm>

#include "ops/named.h"

namespace nnext::ops {
namespace {

// PyTorch's gates are i, f, g, o and r, z, n. Of the GRU's slots nx, r, z, nh the first three are of x.
template <class T>
constexpr Cell<T> kCells[] = {
    {"rnn_tanh", 1, 1, {0}, {0}, false, false, &kernels::RecurrentKernels<T>::rnn_tanh},
    {"rnn_relu", 1, 1, {0}, {0}, false, false, &kernels::RecurrentKernels<T>::rnn_relu},
    {"lstm", 4, 4, {0, 1, 2, 3}, {0, 1, 2, 3}, true, false, &kernels::RecurrentKernels<T>::lstm},
    {"gru", 4, 3, {2, 0, 1}, {0, 1, 2}, false, true, &kernels::RecurrentKernels<T>::gru},
};

template <class T>
constexpr Size kSlot = 64 / sizeof(T);

}  // namespace

template <class T>
const Cell<T>& find_cell(std::string_view name) {
  return find_named<Cell<T>>(kCells<T>, "cell", name);
}

template <class T>
GateLayout<T>::GateLayout(const Cell<T>& cell_, Size units_)
    : cell(&cell_),
      units(units_),
      width(cell_.slots > 1 ? kSlot<T> : std::min(4 * kSlot<T>, core::round_up(units_, kSlot<T>))) {}

// The widest panels that a block has a whole number of.
template <class T>
PanelLayout GateLayout<T>::weights(const KernelTable<T>& kernels, Size rows) const {
  const Size lanes = kernels.gemm.vector_lanes, vectors = of_weight() / lanes;
  Size wide = std::min(kernels.gemm.panel_vectors, vectors);
  while (vectors % wide != 0) --wide;
  PanelLayout layout;
  layout.rows = rows, layout.cols = blocks() * of_weight(), layout.width = wide * lanes;
  return layout;
}

template <class T>
Size GateLayout<T>::column(bool of_h, Size gate, Size unit) const {
  Size slot = 0;
  while (cell->gate_of(of_h, slot) != gate) ++slot;
  return unit / width * of_weight() + slot * width + unit % width;
}

template const Cell<float>& find_cell(std::string_view);
template const Cell<double>& find_cell(std::string_view);
template struct GateLayout<float>;
template struct GateLayout<double>;

}  // namespace nnext::ops
