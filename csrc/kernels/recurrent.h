// Kernels of the cells of recurrent layers, for one step of time, and what they are told of it.
#pragma once

#include <cstddef>

namespace nnext::kernels {

// `units` units of `rows` rows. Gate g of unit j of a row is number g * width + j of the row's gates, so that those of
// neighbouring units lie together; each array has rows of its own distance.
template <class T>
struct CellStep {
  std::size_t rows, units, width;
  T* gates;  // what the products gave; becomes what backward() wants
  std::ptrdiff_t gates_row;
  const T* h_before;  // null: zero, and so is c_before
  std::ptrdiff_t h_before_row;
  T* h;
  std::ptrdiff_t h_row;
  const T* c_before;  // of a cell with such a state
  std::ptrdiff_t c_before_row;
  T* c;       // may be c_before
  T* tanh_c;  // null: not wanted
  std::ptrdiff_t c_row;
};

template <class T>
struct CellStepBack {
  std::size_t rows, units, width;
  T* gates;  // become their gradients
  std::ptrdiff_t gates_row;
  const T *h_before, *h;
  std::ptrdiff_t h_before_row, h_row;
  const T *c_before, *tanh_c;
  std::ptrdiff_t c_row;
  const T* dh;
  T* carried;            // LSTM: dc of this step, then of the one before. GRU: what of dh goes on without a product
  std::ptrdiff_t d_row;  // of both
};

template <class T>
struct CellKernels {
  void (*forward)(const CellStep<T>&);
  void (*backward)(const CellStepBack<T>&);
};

template <class T>
struct RecurrentKernels {
  CellKernels<T> rnn_tanh, rnn_relu, lstm, gru;
};

}  // namespace nnext::kernels
