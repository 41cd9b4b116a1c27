// The gates of a recurrent layer's cells, and how they lie for products and cells.
#pragma once

#include <array>
#include <string_view>

#include "kernels/recurrent.h"
#include "ops/panels.h"

namespace nnext::ops {

// What lies side by side for some units: `slots` gates, of which the product with x fills the first and that with h the
// last, as many as a weight has. Both fill most of them; those of the GRU's n must be kept apart.
template <class T>
struct Cell {
  const char* name;
  Size slots, gates;
  std::array<Size, 4> x_gates, h_gates;  // which of the public weight's gates each slot's is, first to last
  bool has_c, carries_dh;                // a second state; a part of dh that goes back without a product
  kernels::CellKernels<T> kernels::RecurrentKernels<T>::* kernels;

  Size first_slot(bool of_h) const { return of_h ? slots - gates : 0; }
  Size gate_of(bool of_h, Size slot) const { return (of_h ? h_gates : x_gates)[slot]; }
};
template <class T>
const Cell<T>& find_cell(std::string_view name);

// How the gates lie: blocks of `width` units, whose slots follow each other, the last block padded. A slot is 64 bytes
// wide on every instruction set or, where there is but one, up to four of these.
template <class T>
struct GateLayout {
  const Cell<T>* cell;
  Size units, width;

  GateLayout(const Cell<T>& cell, Size units);
  Size blocks() const { return core::divide_up(units, width); }
  Size block() const { return cell->slots * width; }      // numbers
  Size of_weight() const { return cell->gates * width; }  // that a weight fills of it
  Size numbers() const { return blocks() * block(); }
  // The weights' columns are those that they fill. A panel ends where a block ends.
  PanelLayout weights(const KernelTable<T>& kernels, Size rows) const;
  // The column of the weight of x, or of h, where that of a gate and unit of the public weight lies.
  Size column(bool of_h, Size gate, Size unit) const;
  // Where among the gates a column is.
  Size place(bool of_h, Size column) const {
    return column / of_weight() * block() + cell->first_slot(of_h) * width + column % of_weight();
  }
};

}  // namespace nnext::ops
