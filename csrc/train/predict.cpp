#include "train/predict.h"

namespace nnext::train {

using runtime::Member;
using runtime::Range;

namespace {

template <class T>
void copy_rows(ConstMatrix<T> from, Matrix<T> to) {
  for (Size i = 0; i < from.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(i));
}

// Also calls at_head(rows, values) with what the loss reads, for blocks of rows, on all members of the team.
template <class T, class F>
void predict(State<T>& state, const InputRows<T>& x, Matrix<T> outputs, runtime::Cancel& cancel, F at_head) {
  if (x.rows == 0) return;
  const Gate::Reader reader(state.gate);
  Plan<T> first(state.network, x.cols, std::min<Size>(kBlockRows, x.rows), state.head, Use::predict);
  const double flops = first.flops_per_row() * static_cast<double>(x.rows);
  const int members = runtime::members_for(flops);
  std::vector<Plan<T>> plans(static_cast<Size>(members), first);
  auto body = [&](Member& me) {
    Plan<T>& plan = plans[static_cast<Size>(me.index())];
    const nn::Pass<T> pass{.kernels = state.network.kernels, .me = me};
    for_blocks(me, x.rows, [&](Range at) {
      const Range rows{0, at.size()};
      const ConstMatrix<T> from = x.view_or_read(at.begin, plan.value(kInput, 0, at.size()));
      const auto value = [&](Slot slot) {
        return slot == kInput ? from : ConstMatrix<T>(plan.value(slot, 0, at.size()));
      };
      forward_rows<T>(plan, pass, from, rows, {0, plan.head_stages()});
      at_head(at, value(plan.head()));
      forward_rows<T>(plan, pass, from, rows, {plan.head_stages(), plan.stages().size()});
      copy_rows<T>(value(plan.output()), outputs.rows_from(at.begin, at.size()));
    });
  };
  runtime::run_on_team(members, body, runtime::where_long(flops, cancel));
}

}  // namespace

template <class T>
void predict(State<T>& state, const InputRows<T>& x, Matrix<T> outputs, runtime::Cancel& cancel) {
  predict(state, x, outputs, cancel, [](Range, ConstMatrix<T>) {});
}

template <class T>
double evaluate(State<T>& state, const InputRows<T>& x, const ops::Targets<T>& targets, const T* weights,
                Matrix<T> outputs, runtime::Cancel& cancel) {
  core::Buffer<T> scale(x.rows), row_loss(x.rows);
  ops::loss_scale<T>(weights, x.rows, scale.data());
  predict(state, x, outputs, cancel, [&](Range rows, ConstMatrix<T> head) {
    ops::loss_rows<T>(*state.loss, state.loss_argument, head, targets.rows_from(rows.begin, rows.size()),
                      scale.data() + rows.begin, row_loss.data() + rows.begin, {});
  });
  return ops::total_loss(x.rows, scale.data(), row_loss.data());
}

template void predict(State<float>&, const InputRows<float>&, Matrix<float>, runtime::Cancel&);
template void predict(State<double>&, const InputRows<double>&, Matrix<double>, runtime::Cancel&);
template double evaluate(State<float>&, const InputRows<float>&, const ops::Targets<float>&, const float*,
                         Matrix<float>, runtime::Cancel&);
template double evaluate(State<double>&, const InputRows<double>&, const ops::Targets<double>&, const double*,
                         Matrix<double>, runtime::Cancel&);

}  // namespace nnext::train
