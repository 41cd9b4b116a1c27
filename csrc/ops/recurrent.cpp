#include "ops/recurrent.h"

#include <algorithm>

namespace nnext::ops {
namespace {

using runtime::Range;

Stride stride(Size n) { return static_cast<Stride>(n); }

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
  return kernels_.gemm.takes_rows_of(layout.width) || layout.panels() == 1;
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
    const Steps<const T> h_from = s == 0 ? memory.h_start : memory.h, c_from = s == 0 ? memory.c_start : memory.c;
    const T* const h_before = at(h_from, before);
    const bool one_row = m == 1 && memory.row != nullptr && suits_rows(of_x_);
    if (one_row) fill_row(memory.x(rows.begin, t), h_before, wx, wh, bias, memory.gates(rows.begin, t), memory.row);
    for (Size block = 0; block < gates_.blocks() && m > 0; ++block) {
      const Size first = block * gates_.width;
      T* const gates = memory.gates(rows.begin, t) + block * gates_.block();
      const auto of_units = [&](auto* numbers) { return numbers == nullptr ? nullptr : numbers + first; };
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

// The members above; the others are instantiated in recurrent_back.cpp.
template class Recurrence<float>;
template class Recurrence<double>;

}  // namespace nnext::ops
