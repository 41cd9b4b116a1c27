// One direction of a recurrent layer over all steps of its sequences: forward, backward, and the gradients of its weights.
//
// A step's products fill the gates of some units at a time, and the cell works on these while they are in L1. Multiplying
// all x by their weights first pushes the gates of all steps out of L2: 73% of the FMA ceiling against 84%.
#pragma once

#include "ops/gates.h"
#include "runtime/team.h"

namespace nnext::ops {

// Numbers of sequences: those of step t of row i. Where only so many steps are kept, a step takes the place of an older one.
template <class T>
struct Steps {
  T* data = nullptr;
  Stride row = 0, step = 0;
  Size kept = SIZE_MAX;

  operator Steps<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, row, step, kept};
  }
  T* operator()(Size i, Size t) const {
    return data + static_cast<Stride>(i) * row + static_cast<Stride>(t < kept ? t : t % kept) * step;
  }
  explicit operator bool() const { return data != nullptr; }
};

// Rows of a batch, and how many steps each has.
struct Sequences {
  Size steps;
  const std::uint32_t* lengths = nullptr;  // null: all have so many
  bool reverse = false;                    // from the last step to the first

  Size length(Size row) const { return lengths == nullptr ? steps : lengths[row]; }
  // The last step that is computed.
  bool ends(Size row, Size t) const { return t == (reverse ? 0 : length(row) - 1); }
  // Rows from `rows.begin` to the last one that has a step t.
  Size active(runtime::Range rows, Size t) const;
};

template <class T>
struct RecurrentMemory {
  Steps<const T> x{};
  Steps<T> gates{}, h{}, c{}, tanh_c{};  // the last two where the cell has them; without tanh_c there is no backward()
  Steps<T> last{};                       // for each row the h of its last step; null: not wanted
  T* row = nullptr;  // room for the gates of a row, where such are computed alone; null: they are not
  Steps<const T> h_start{}, c_start{};  // what the first step goes on from; null: 0
  Steps<T> h_carried{}, c_carried{};    // where the last one leaves what others go on from; null: nowhere
};
template <class T>
struct RecurrentGradients {
  Steps<const T> dy;  // of every step, or with `of_last` of each row's last alone
  bool of_last;
  Steps<T> dx;      // null: not wanted
  bool adds;        // to what dx has
  T *dh, *carried;  // room for the units of all rows of a part
};

template <class T>
class Recurrence {
 public:
  Recurrence(const KernelTable<T>& kernels, const GateLayout<T>& gates, Size inputs)
      : kernels_(kernels),
        gates_(gates),
        cell_((kernels.recurrent).*(gates.cell->kernels)),
        of_x_(gates.weights(kernels, inputs)),
        of_h_(gates.weights(kernels, gates.units)),
        x_transposed_(kernels, of_x_.cols, inputs),
        h_transposed_(kernels, of_x_.cols, gates.units) {}

  const GateLayout<T>& gates() const { return gates_; }
  const PanelLayout& of_x() const { return of_x_; }
  const PanelLayout& of_h() const { return of_h_; }
  const PanelLayout& x_transposed() const { return x_transposed_; }
  const PanelLayout& h_transposed() const { return h_transposed_; }
  double flops() const;  // of a step of a row, forward

  // For the rows of a part. `bias` is one number for each gate.
  void forward(const runtime::Member& me, runtime::Range rows, const Sequences& all, const RecurrentMemory<T>& memory,
               const T* wx, const T* wh, const T* bias) const;
  // Leaves the gates' gradients in their place. Of transposed weights that of x may be null where dx is.
  void backward(const runtime::Member& me, runtime::Range rows, const Sequences& all, const RecurrentMemory<T>& memory,
                const T* wx_transposed, const T* wh_transposed, const RecurrentGradients<T>& gradients) const;
  // Adds those of the rows' steps to the gradient of a part of the weight of x or of h: a chain over rows and steps in
  // their order. `runs` has room for as many as there are rows.
  void add_weight_gradient(runtime::Range rows, const Sequences& all, const RecurrentMemory<T>& memory, bool of_h,
                           PanelRows part, kernels::Run* runs, T* sums) const;
  // The same of a bias, columns [first, first + count) of it, whole blocks.
  void add_bias_gradient(runtime::Range rows, const Sequences& all, const Steps<T>& gates, bool of_h, Size first,
                         Size count, T* sums) const;

 private:
  // Rows that lie `row` apart.
  template <class N>
  struct Rows {
    N* data;
    Stride row;
  };
  struct Step;  // of all rows that are active
  void leave(runtime::Range rows, const Sequences& all, Size t, const RecurrentMemory<T>& memory) const;

  void fill_gates(Size m, Rows<const T> x, Rows<const T> h, const T* wx, const T* wh, const T* bias, Size block,
                  Rows<T> gates) const;
  bool suits_rows(const PanelLayout& layout) const;
  void fill_row(const T* x, const T* h, const T* wx, const T* wh, const T* bias, T* gates, T* row) const;
  void multiply(Size m, Rows<const T> a, const T* weights, const PanelLayout& layout, Size block, Rows<const T> init,
                Rows<T> c) const;
  void multiply_gates(Size m, Rows<const T> gates, bool of_h, const T* transposed, Rows<const T> init, Rows<T> c) const;
  void gather_dh(runtime::Range rows, const Sequences& all, const Step& at,
                 const RecurrentGradients<T>& gradients) const;
  void cells_back(runtime::Range rows, const Step& at, const RecurrentMemory<T>& memory,
                  const RecurrentGradients<T>& gradients) const;
  void input_gradients(runtime::Range rows, const Sequences& all, const Steps<T>& gates, const T* wx_transposed,
                       const RecurrentGradients<T>& gradients) const;

  const KernelTable<T>& kernels_;
  GateLayout<T> gates_;
  const kernels::CellKernels<T>& cell_;
  PanelLayout of_x_, of_h_, x_transposed_, h_transposed_;
};

}  // namespace nnext::ops
