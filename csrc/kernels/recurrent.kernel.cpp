// The cells of recurrent layers: from what the products of a step gave to the new state, and back.
#include "kernels/parts.h"
#include "kernels/simd/math.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// Calls f(row, j, part) for the units of each row, a vector at a time.
template <class T, class F>
inline void for_units(size_t rows, size_t units, F f) {
  for (size_t row = 0; row < rows; ++row)
    for_each_vector<T>(units, [&](size_t j, auto part) { f(static_cast<ptrdiff_t>(row), j, part); });
}

// y' of y = sigmoid(x).
template <class T>
inline Vec<T> sigmoid_slope(Vec<T> y) {
  return y * (1 - y);
}
template <class T>
inline Vec<T> tanh_slope(Vec<T> y) {
  return (1 - y) * (1 + y);
}

struct Tanh {
  template <class T>
  static Vec<T> value(Vec<T> x) {
    return tanh<T>(x);
  }
  template <class T>
  static Vec<T> back(Vec<T> y, Vec<T> dy) {
    return dy * tanh_slope<T>(y);
  }
};
struct ReLU {
  template <class T>
  static Vec<T> value(Vec<T> x) {
    return select<T>(x < 0, Vec<T>{}, x);  // NaN stays
  }
  template <class T>
  static Vec<T> back(Vec<T> y, Vec<T> dy) {
    return select<T>(y > 0, dy, Vec<T>{});
  }
};

// h = f(gate). J. L. Elman, Cognitive Science 14 (1990).
template <class F>
struct Rnn {
  template <class T>
  static void forward(const CellStep<T>& s) {
    for_units<T>(s.rows, s.units, [&](ptrdiff_t row, size_t j, auto part) {
      store(part, s.h + row * s.h_row + j, F::template value<T>(load(part, s.gates + row * s.gates_row + j)));
    });
  }
  template <class T>
  static void backward(const CellStepBack<T>& s) {
    for_units<T>(s.rows, s.units, [&](ptrdiff_t row, size_t j, auto part) {
      const Vec<T> h = load(part, s.h + row * s.h_row + j), dh = load(part, s.dh + row * s.d_row + j);
      store(part, s.gates + row * s.gates_row + j, F::template back<T>(h, dh));
    });
  }
};

// Gates i, f, g, o: c = f c_before + i g, h = o tanh(c). S. Hochreiter and J. Schmidhuber, Neural Computation 9 (1997);
// F. A. Gers, J. Schmidhuber and F. Cummins, Neural Computation 12 (2000).
struct Lstm {
  template <class T>
  static void forward(const CellStep<T>& s) {
    for_units<T>(s.rows, s.units, [&](ptrdiff_t row, size_t j, auto part) {
      T* const gate = s.gates + row * s.gates_row + j;
      const ptrdiff_t at = row * s.c_row + static_cast<ptrdiff_t>(j);
      const Vec<T> i = sigmoid<T>(load(part, gate)), f = sigmoid<T>(load(part, gate + s.width));
      const Vec<T> g = tanh<T>(load(part, gate + 2 * s.width)), o = sigmoid<T>(load(part, gate + 3 * s.width));
      const Vec<T> before = s.c_before == nullptr ? Vec<T>{} : load(part, s.c_before + row * s.c_before_row + j);
      const Vec<T> c = fma(f, before, i * g), tanh_c = tanh<T>(c);
      store(part, s.c + at, c);
      store(part, s.h + row * s.h_row + j, o * tanh_c);
      if (s.tanh_c == nullptr) return;
      store(part, s.tanh_c + at, tanh_c);
      store(part, gate, i), store(part, gate + s.width, f);
      store(part, gate + 2 * s.width, g), store(part, gate + 3 * s.width, o);
    });
  }
  template <class T>
  static void backward(const CellStepBack<T>& s) {
    for_units<T>(s.rows, s.units, [&](ptrdiff_t row, size_t j, auto part) {
      T *const gate = s.gates + row * s.gates_row + j, *const carried = s.carried + row * s.d_row + j;
      const ptrdiff_t at = row * s.c_row + static_cast<ptrdiff_t>(j);
      const Vec<T> i = load(part, gate), f = load(part, gate + s.width);
      const Vec<T> g = load(part, gate + 2 * s.width), o = load(part, gate + 3 * s.width);
      const Vec<T> tanh_c = load(part, s.tanh_c + at), dh = load(part, s.dh + row * s.d_row + j);
      const Vec<T> before = s.c_before == nullptr ? Vec<T>{} : load(part, s.c_before + row * s.c_before_row + j);
      const Vec<T> dc = fma(dh * o, tanh_slope<T>(tanh_c), load(part, carried));
      store(part, gate, dc * g * sigmoid_slope<T>(i));
      store(part, gate + s.width, dc * before * sigmoid_slope<T>(f));
      store(part, gate + 2 * s.width, dc * i * tanh_slope<T>(g));
      store(part, gate + 3 * s.width, dh * tanh_c * sigmoid_slope<T>(o));
      store(part, carried, dc * f);
    });
  }
};

// Gates nx, r, z, nh: n = tanh(nx + r nh), h = (1 - z) n + z h_before. nx is what x adds to n and nh what h adds, each
// with a bias of its own, as PyTorch has it; backward() leaves the gradients of the four.
// K. Cho et al., EMNLP 2014.
struct Gru {
  template <class T>
  static void forward(const CellStep<T>& s) {
    for_units<T>(s.rows, s.units, [&](ptrdiff_t row, size_t j, auto part) {
      T* const gate = s.gates + row * s.gates_row + j;
      const Vec<T> r = sigmoid<T>(load(part, gate + s.width)), z = sigmoid<T>(load(part, gate + 2 * s.width));
      const Vec<T> n = tanh<T>(fma(r, load(part, gate + 3 * s.width), load(part, gate)));
      const Vec<T> before = s.h_before == nullptr ? Vec<T>{} : load(part, s.h_before + row * s.h_before_row + j);
      store(part, s.h + row * s.h_row + j, fma(z, before - n, n));
      store(part, gate, n), store(part, gate + s.width, r), store(part, gate + 2 * s.width, z);
    });
  }
  template <class T>
  static void backward(const CellStepBack<T>& s) {
    for_units<T>(s.rows, s.units, [&](ptrdiff_t row, size_t j, auto part) {
      T* const gate = s.gates + row * s.gates_row + j;
      const Vec<T> n = load(part, gate), r = load(part, gate + s.width), z = load(part, gate + 2 * s.width);
      const Vec<T> nh = load(part, gate + 3 * s.width), dh = load(part, s.dh + row * s.d_row + j);
      const Vec<T> before = s.h_before == nullptr ? Vec<T>{} : load(part, s.h_before + row * s.h_before_row + j);
      const Vec<T> dn = dh * (1 - z) * tanh_slope<T>(n);
      store(part, gate, dn);
      store(part, gate + s.width, dn * nh * sigmoid_slope<T>(r));
      store(part, gate + 2 * s.width, dh * (before - n) * sigmoid_slope<T>(z));
      store(part, gate + 3 * s.width, dn * r);
      store(part, s.carried + row * s.d_row + j, dh * z);
    });
  }
};

template <class T, class Cell>
constexpr CellKernels<T> make_cell() {
  return {.forward = Cell::template forward<T>, .backward = Cell::template backward<T>};
}
template <class T>
constexpr RecurrentKernels<T> make_recurrent() {
  return {.rnn_tanh = make_cell<T, Rnn<Tanh>>(),
          .rnn_relu = make_cell<T, Rnn<ReLU>>(),
          .lstm = make_cell<T, Lstm>(),
          .gru = make_cell<T, Gru>()};
}

}  // namespace

constinit const RecurrentKernels<float> recurrent_f32 = make_recurrent<float>();
constinit const RecurrentKernels<double> recurrent_f64 = make_recurrent<double>();

}  // namespace nnext::kernels::NNEXT_ISA
