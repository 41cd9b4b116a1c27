#include "ops/recurrent.h"

#include <algorithm>

#include "ops/named.h"

namespace nnext::ops {
namespace {

using runtime::Range;

// PyTorch's gates are i, f, g, o and r, z, n. Of the GRU's slots nx, r, z, nh the first three are of x.
template <class T>
constexpr Cell<T> kCells[] = {
    {"rnn_tanh", 1, 1, {0}, {0}, false, false, &kernels::RecurrentKernels<T>::rnn_tanh},
    {"rnn_relu", 1, 1, {0}, {0}, false, false, &kernels::RecurrentKernels<T>::rnn_relu},
    {"lstm", 4, 4, {0, 1, 2, 3}, {0, 1, 2, 3}, true, false, &kernels::RecurrentKernels<T>::lstm},
    {"gru", 4, 3, {2, 0, 1}, {0, 1, 2}, false, true, &kernels::RecurrentKernels<T>::gru},
};

Stride stride(Size n) { return static_cast<Stride>(n); }

template <class T>
constexpr Size kSlot = 64 / sizeof(T);

// A product whose chain over k may be longer than a panel should be that streams from L2.
template <class T>
void multiply_panel(const KernelTable<T>& kernels, kernels::PanelProduct<T> product) {
  const Size all = product.k;
  for (Size k = 0; k < all || k == 0; k += kernels.gemm.block_k) {
    product.k = std::min(kernels.gemm.block_k, all - k);
    kernels.gemm.multiply_panel(product);
    product.a += stride(product.k) * product.a_k, product.b += stride(product.k) * product.b_k;
    product.init = product.c, product.init_row = product.c_row;
  }
}

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

Size Sequences::active(Range rows, Size t) const {
  if (lengths == nullptr) return rows.size();
  Size end = rows.end;
  while (end > rows.begin && lengths[end - 1] <= t) --end;
  return end - rows.begin;
}

template <class T>
double Recurrence<T>::flops() const {
  const auto weights = static_cast<double>((of_x_.rows + of_h_.rows) * of_x_.cols);
  return 2 * weights + 32 * static_cast<double>(gates_.numbers());  // a slot's exponential, quotient and the rest
}

// ---- forward --------------------------------------------------------------------------------------------------------

// c = init + a w for the columns of a block.
template <class T>
void Recurrence<T>::multiply(Size m, Rows<const T> a, const T* weights, const PanelLayout& layout, Size block,
                             Rows<const T> init, Rows<T> c) const {
  const Size panels = gates_.of_weight() / layout.width;
  for (Size p = 0; p < panels; ++p)
    multiply_panel<T>(kernels_, {.m = m,
                                 .n = layout.width,
                                 .k = layout.rows,
                                 .a = a.data,
                                 .a_row = a.row,
                                 .a_k = 1,
                                 .b = weights + (block * panels + p) * layout.rows * layout.width,
                                 .b_k = stride(layout.width),
                                 .init = init.data + p * layout.width,
                                 .init_row = init.row,
                                 .c = c.data + p * layout.width,
                                 .c_row = c.row});
}

template <class T>
void Recurrence<T>::fill_gates(Size m, Rows<const T> x, Rows<const T> h, const T* wx, const T* wh, const T* bias,
                               Size block, Rows<T> gates) const {
  const Size h_slots = gates_.cell->first_slot(true) * gates_.width, filled = gates_.of_weight();
  bias += block * gates_.block();
  multiply(m, x, wx, of_x_, block, {bias, 0}, gates);
  if (filled < gates_.block())  // a slot of h alone
    kernels_.layout.copy(m, gates_.block() - filled, bias + filled, 0, gates.data + filled, gates.row);
  if (h.data == nullptr) return;
  const Rows<T> of_h{gates.data + h_slots, gates.row};
  multiply(m, h, wh, of_h_, block, {of_h.data, of_h.row}, of_h);
}

// A row takes panels two at a time where they are as wide as the kernels know them.
template <class T>
bool Recurrence<T>::suits_rows(const PanelLayout& layout) const {
  return layout.width == kernels_.gemm.panel() || layout.panels() == 1;
}

// The same of all blocks: two panels at a time, whose results lie without the slots that are of the other weight alone.
template <class T>
void Recurrence<T>::fill_row(const T* x, const T* h, const T* wx, const T* wh, const T* bias, T* gates, T* row) const {
  const Size filled = gates_.of_weight(), block = gates_.block();
  const auto multiply_row = [&](const T* a, const T* weights, const PanelLayout& layout, const T* init, T* c) {
    kernels_.gemm.multiply_row(
        {.n = layout.cols, .k = layout.rows, .width = layout.width, .a = a, .b = weights, .init = init, .c = c});
  };
  const auto add = [&](const T* a, const T* weights, const PanelLayout& layout, bool of_h) {
    T* const slots = gates + gates_.cell->first_slot(of_h) * gates_.width;
    if (filled == block) return multiply_row(a, weights, layout, slots, slots);
    kernels_.layout.copy(gates_.blocks(), filled, slots, stride(block), row, stride(filled));
    multiply_row(a, weights, layout, row, row);
    kernels_.layout.copy(gates_.blocks(), filled, row, stride(filled), slots, stride(block));
  };
  std::copy_n(bias, gates_.numbers(), gates);
  add(x, wx, of_x_, false);
  if (h != nullptr) add(h, wh, of_h_, true);
}

template <class T>
void Recurrence<T>::forward(const runtime::Member& me, Range rows, const Sequences& all,
                            const RecurrentMemory<T>& memory, const T* wx, const T* wh, const T* bias) const {
  const auto at = [&](const auto& steps, Size t) { return steps ? steps(rows.begin, t) : nullptr; };
  for (Size s = 0; s < all.steps && !me.stop(); ++s) {
    const Size t = all.reverse ? all.steps - 1 - s : s, before = all.reverse ? t + 1 : t - 1;
    const Size m = all.active(rows, t);
    const Steps<T>&h_from = s == 0 ? memory.h_start : memory.h, &c_from = s == 0 ? memory.c_start : memory.c;
    T* const h_before = at(h_from, before);
    const bool one_row = m == 1 && memory.row != nullptr && suits_rows(of_x_);
    if (one_row) fill_row(memory.x(rows.begin, t), h_before, wx, wh, bias, memory.gates(rows.begin, t), memory.row);
    for (Size block = 0; block < gates_.blocks() && m > 0; ++block) {
      const Size first = block * gates_.width;
      T* const gates = memory.gates(rows.begin, t) + block * gates_.block();
      const auto of_units = [&](T* numbers) { return numbers == nullptr ? nullptr : numbers + first; };
      if (!one_row)
        fill_gates(m, {memory.x(rows.begin, t), memory.x.row}, {h_before, h_from.row}, wx, wh, bias, block,
                   {gates, memory.gates.row});
      cell_.forward({.rows = m,
                     .units = std::min(gates_.width, gates_.units - first),
                     .width = gates_.width,
                     .gates = gates,
                     .gates_row = memory.gates.row,
                     .h_before = of_units(h_before),
                     .h_before_row = h_from.row,
                     .h = memory.h(rows.begin, t) + first,
                     .h_row = memory.h.row,
                     .c_before = of_units(at(c_from, before)),
                     .c_before_row = c_from.row,
                     .c = of_units(at(memory.c, t)),
                     .tanh_c = of_units(at(memory.tanh_c, t)),
                     .c_row = memory.c.row});
    }
    leave(rows, all, t, memory);
  }
}

// What a step leaves for those after it and for whoever wants the last one. A row is 0 before its first step on the way
// back, and after its last one.
template <class T>
void Recurrence<T>::leave(Range rows, const Sequences& all, Size t, const RecurrentMemory<T>& memory) const {
  for (Size i = rows.begin; i < rows.end; ++i) {
    if (t >= all.length(i)) {
      std::fill_n(memory.h(i, t), gates_.units, T{0});
      if (memory.c) std::fill_n(memory.c(i, t), gates_.units, T{0});
    } else if (all.ends(i, t)) {
      for (const Steps<T>* to : {&memory.last, &memory.h_carried})
        if (*to) std::copy_n(memory.h(i, t), gates_.units, (*to)(i, 0));
      if (memory.c_carried) std::copy_n(memory.c(i, t), gates_.units, memory.c_carried(i, 0));
    }
  }
}

// ---- backward -------------------------------------------------------------------------------------------------------

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
  const Size k = gates_.of_weight(), at_once = std::max<Size>(1, kernels_.gemm.block_k / k);
  const Size slots = gates_.cell->first_slot(of_h) * gates_.width;
  for (Size p = 0; p < layout.panels(); ++p)
    for (Size block = 0; block < gates_.blocks(); block += at_once) {
      std::array<kernels::Run, 64> runs;
      const Size count = std::min({at_once, gates_.blocks() - block, runs.size()});
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
  const Steps<T>&h_from = at.has_before ? memory.h : memory.h_start,
        &c_from = at.has_before ? memory.c : memory.c_start;
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
    for (Size i = 0; all.lengths != nullptr && i < at.active; ++i) {
      if (at.t < all.length(rows.begin + i)) continue;
      std::fill_n(memory.gates(rows.begin + i, at.t), gates_.numbers(), T{0});
      std::fill_n(gradients.carried + i * units, units, T{0});
    }
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
    const Steps<const T> start{memory.h_start.data, memory.h_start.row, memory.h_start.step};
    lay_runs(start);
    add(start, rows.begin, rows.size(), 0, 0, 1);
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

template const Cell<float>& find_cell(std::string_view);
template const Cell<double>& find_cell(std::string_view);
template struct GateLayout<float>;
template struct GateLayout<double>;
template class Recurrence<float>;
template class Recurrence<double>;

}  // namespace nnext::ops
