// The way back through the steps, and the gradients of the weights.
#include <algorithm>

#include "ops/recurrent.h"

namespace nnext::ops {

using runtime::Range;

namespace {

Stride stride(Size n) { return static_cast<Stride>(n); }

}  // namespace

// A step t, the one after it in the order of backward's way, and how many rows have been active in both.
template <class T>
struct Recurrence<T>::Step {
  Size t, before;  // the latter on forward's way
  bool has_before;
  Size active, done;  // rows; those whose gates of the step just done have gradients
  Rows<const T> gates_done;
};

// c = init + gates w^T of x, or of h: the blocks that fit a chain of block_k at a time.
template <class T>
void Recurrence<T>::multiply_gates(Size m, Rows<const T> gates, bool of_h, const T* transposed, Rows<const T> init,
                                   Rows<T> c) const {
  const PanelLayout& layout = of_h ? h_transposed_ : x_transposed_;
  std::array<kernels::Run, 64> runs;
  const Size k = gates_.of_weight(), at_once = std::clamp<Size>(kernels_.gemm.block_k / k, 1, runs.size());
  const Size slots = gates_.cell->first_slot(of_h) * gates_.width;
  for (Size p = 0; p < layout.panels(); ++p)
    for (Size block = 0; block < gates_.blocks(); block += at_once) {
      const Size count = std::min(at_once, gates_.blocks() - block);
      for (Size i = 0; i < count; ++i) runs[i] = {stride(i * gates_.block()), stride(i * k * layout.width)};
      T* const to = c.data + p * layout.width;
      const bool goes_on = block > 0;
      kernels_.gemm.multiply_panel({.m = m,
                                    .n = layout.panel_cols(p),
                                    .k = k,
                                    .a = gates.data + block * gates_.block() + slots,
                                    .a_row = gates.row,
                                    .a_k = 1,
                                    .b = transposed + (p * layout.rows + block * k) * layout.width,
                                    .b_k = stride(layout.width),
                                    .init = goes_on                ? to
                                            : init.data == nullptr ? nullptr
                                                                   : init.data + p * layout.width,
                                    .init_row = goes_on ? c.row : init.row,
                                    .c = to,
                                    .c_row = c.row,
                                    .runs = count,
                                    .run = runs.data()});
    }
}

// dh of the active rows: what went on without a product, what comes from above, and what the step just done gives back.
template <class T>
void Recurrence<T>::gather_dh(Range rows, const Sequences& all, const Step& at,
                              const RecurrentGradients<T>& gradients) const {
  const Size units = gates_.units;
  for (Size i = 0; i < at.active; ++i) {
    const Size row = rows.begin + i;
    T* const dh = gradients.dh + i * units;
    if (gates_.cell->carries_dh)
      std::copy_n(gradients.carried + i * units, units, dh);
    else
      std::fill_n(dh, units, T{0});
    if (at.t < all.length(row) && (!gradients.of_last || all.ends(row, at.t)))
      kernels_.elementwise.add(units, dh, gradients.dy(row, gradients.of_last ? 0 : at.t), dh);
  }
}

template <class T>
void Recurrence<T>::cells_back(Range rows, const Step& at, const RecurrentMemory<T>& memory,
                               const RecurrentGradients<T>& gradients) const {
  const auto of = [&](const auto& steps, Size t, Size first) { return steps ? steps(rows.begin, t) + first : nullptr; };
  const Steps<const T> h_from = at.has_before ? memory.h : memory.h_start,
                       c_from = at.has_before ? memory.c : memory.c_start;
  for (Size block = 0; block < gates_.blocks(); ++block) {
    const Size first = block * gates_.width;
    cell_.backward({.rows = at.active,
                    .units = std::min(gates_.width, gates_.units - first),
                    .width = gates_.width,
                    .gates = memory.gates(rows.begin, at.t) + block * gates_.block(),
                    .gates_row = memory.gates.row,
                    .h_before = of(h_from, at.before, first),
                    .h = of(memory.h, at.t, first),
                    .h_before_row = h_from.row,
                    .h_row = memory.h.row,
                    .c_before = of(c_from, at.before, first),
                    .c_before_row = c_from.row,
                    .tanh_c = of(memory.tanh_c, at.t, first),
                    .c_row = memory.c.row,
                    .dh = gradients.dh + first,
                    .carried = gradients.carried + first,
                    .d_row = stride(gates_.units)});
  }
}

// What gates have after a row's end goes nowhere: on the way from the last step it is 0, as dh is; on the other way it
// comes after all that is wanted.
template <class T>
void Recurrence<T>::backward(const runtime::Member& me, Range rows, const Sequences& all,
                             const RecurrentMemory<T>& memory, const T* wx_transposed, const T* wh_transposed,
                             const RecurrentGradients<T>& gradients) const {
  const Size units = gates_.units;
  std::fill_n(gradients.carried, rows.size() * units, T{0});
  Step at{};
  for (Size s = all.steps; s-- > 0 && !me.stop();) {
    at.t = all.reverse ? all.steps - 1 - s : s, at.before = all.reverse ? at.t + 1 : at.t - 1, at.has_before = s > 0;
    at.active = all.active(rows, at.t);
    const Rows<T> dh{gradients.dh, stride(units)};
    gather_dh(rows, all, at, gradients);
    if (const Size m = std::min(at.active, at.done); m > 0)
      multiply_gates(m, at.gates_done, true, wh_transposed, {dh.data, dh.row}, dh);
    if (at.active > 0) cells_back(rows, at, memory, gradients);
    at.gates_done = {memory.gates(rows.begin, at.t), memory.gates.row}, at.done = at.active;
  }
  if (gradients.dx) input_gradients(rows, all, memory.gates, wx_transposed, gradients);
}

// Of all rows a step, or of all steps a row, whichever are more.
template <class T>
void Recurrence<T>::input_gradients(Range rows, const Sequences& all, const Steps<T>& gates, const T* wx_transposed,
                                    const RecurrentGradients<T>& gradients) const {
  const auto multiply = [&](Size m, Size row, Size t, Stride gates_apart, Stride dx_apart) {
    const Rows<T> dx{gradients.dx(row, t), dx_apart};
    multiply_gates(m, {gates(row, t), gates_apart}, false, wx_transposed, {gradients.adds ? dx.data : nullptr, dx.row},
                   dx);
  };
  if (rows.size() >= all.steps)
    for (Size t = 0; t < all.steps; ++t) multiply(all.active(rows, t), rows.begin, t, gates.row, gradients.dx.row);
  else
    for (Size i = rows.begin; i < rows.end; ++i) multiply(all.length(i), i, 0, gates.step, gradients.dx.step);
}

// ---- gradients of the weights ---------------------------------------------------------------------------------------

template <class T>
void Recurrence<T>::add_weight_gradient(Range rows, const Sequences& all, const RecurrentMemory<T>& memory, bool of_h,
                                        PanelRows part, kernels::Run* runs, T* sums) const {
  const PanelLayout& layout = of_h ? of_h_ : of_x_;
  const Steps<const T> from = of_h ? Steps<const T>{memory.h.data, memory.h.row, memory.h.step} : memory.x;
  const Size place = gates_.place(of_h, part.panel * layout.width), skipped = of_h ? 1 : 0;
  // Of rows from `first` on the same k steps: those of `a` from `a_step` on, beside those of the gates from `step` on.
  const auto add = [&](const Steps<const T>& a, Size first, Size count, Size a_step, Size step, Size k) {
    kernels_.gemm.multiply_panel({.m = part.count,
                                  .n = layout.width,
                                  .k = k,
                                  .a = a(first, a_step) + part.first,
                                  .a_row = 1,
                                  .a_k = a.step,
                                  .b = memory.gates(first, step) + place,
                                  .b_k = memory.gates.step,
                                  .init = sums,
                                  .init_row = stride(layout.width),
                                  .c = sums,
                                  .c_row = stride(layout.width),
                                  .runs = count,
                                  .run = runs});
  };
  const auto lay_runs = [&](const Steps<const T>& a) {
    for (Size i = 0; i < rows.size(); ++i) runs[i] = {stride(i) * a.row, stride(i) * memory.gates.row};
  };
  if (of_h && memory.h_start) {
    lay_runs(memory.h_start);
    add(memory.h_start, rows.begin, rows.size(), 0, 0, 1);
  }
  lay_runs(from);
  for (Size first = rows.begin, count; first < rows.end; first += count) {  // rows of one length
    count = 1;
    while (first + count < rows.end && all.length(first + count) == all.length(first)) ++count;
    // Of h those of the step before: on the way back that comes after it.
    if (all.length(first) > skipped)
      add(from, first, count, all.reverse ? skipped : 0, all.reverse ? 0 : skipped, all.length(first) - skipped);
  }
}

template <class T>
void Recurrence<T>::add_bias_gradient(Range rows, const Sequences& all, const Steps<T>& gates, bool of_h, Size first,
                                      Size count, T* sums) const {
  for (Size row = rows.begin; row < rows.end; ++row)
    for (Size col = first; col < first + count; col += gates_.of_weight())
      kernels_.reduce.column_sums(all.length(row), gates_.of_weight(), gates(row, 0) + gates_.place(of_h, col),
                                  gates.step, sums + (col - first), sums + (col - first));
}

template class Recurrence<float>;
template class Recurrence<double>;

}  // namespace nnext::ops
