// Kernels that take a batch through all layers of a tiny network (train/tiny.h), and what they are told of it.
#pragma once

#include <cstddef>

namespace nnext::kernels {

template <class T>
struct ActivationArguments;
template <class T>
struct ActivationKernels;

// A layer of a tiny network: y = f(x w + b). Rows lie without gaps; in whole vectors means that each begins with a
// vector of its own and ends with zeros.
template <class T>
struct TinyLayer {
  std::size_t in, out;
  const T* weight = nullptr;                         // [in][out in whole vectors]
  const T* bias = nullptr;                           // null: zero
  const ActivationKernels<T>* activation = nullptr;  // null: none; not from_x, as it works in place
  ActivationArguments<T> arguments = {};
  T *y, *dy;                               // [rows][out], after the activation
  T* transposed = nullptr;                 // room for weight^T in whole vectors; null: x needs no gradient
  T *dweight = nullptr, *dbias = nullptr;  // in whole vectors; null: not wanted
};

// All layers of a tiny network for `rows` rows of x, which lie x_row apart. Each element is the chain of operations
// that multiply_panel and column_sums make it.
template <class T>
struct TinyKernels {
  using Pass = void (*)(const TinyLayer<T>* layers, std::size_t count, std::size_t rows, const T* x, std::size_t x_row);
  std::size_t vector_lanes, max_out;  // of a layer
  Pass forward;                       // y of all layers, and the transposed weights for:
  Pass backward;                      // from dy of the last layer, which it changes, down to one that has no transposed
};

}  // namespace nnext::kernels
