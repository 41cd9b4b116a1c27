#include "train/predict.h"

#include <atomic>

#include "runtime/cancel.h"
#include "runtime/team.h"
#include "train/batch.h"

namespace nnext::train {

using runtime::Member;
using runtime::Range;

namespace {

constexpr Size kBlockRows = 128;  // rows that go through all layers before the next: their activations stay in L2

template <class T>
void copy_rows(ConstMatrix<T> from, Matrix<T> to) {
  for (Size i = 0; i < from.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(i));
}

}  // namespace

template <class T>
bool predict(State<T>& state, ConstMatrix<T> x, Matrix<T> outputs, Matrix<T> head) {
  if (x.rows == 0) return true;
  const Size block = std::min(kBlockRows, x.rows);
  Plan<T> first(state.network, x.cols, block, state.head, Use::predict);
  const int members = runtime::members_for(first.flops_per_row() * static_cast<double>(x.rows));
  std::vector<Plan<T>> plans(static_cast<Size>(members), first);
  const nn::Pass<T> pass{state.network.kernels, state.network.seed, 0, false};
  runtime::Cancel cancel;
  Gate::Reader reader(state.gate);
  auto body = [&](Member& me) {
    Plan<T>& plan = plans[static_cast<Size>(me.index())];
    const Range mine = me.share(x.rows);
    for (Size i = mine.begin; i < mine.end; i += block) {
      if (me.is_caller()) cancel.poll();
      if (cancel.requested()) return;
      const Range rows{0, std::min(block, mine.end - i)};
      const ConstMatrix<T> from = x.rows_from(i, rows.size());
      const auto value = [&](Slot slot) { return slot == kInput ? from : ConstMatrix<T>(plan.value(slot, 0, rows.size())); };
      forward_rows<T>(plan, pass, from, rows, 0, plan.stages().size());
      if (head) copy_rows<T>(value(plan.head()), head.rows_from(i, rows.size()));
      copy_rows<T>(value(plan.output()), outputs.rows_from(i, rows.size()));
    }
  };
  runtime::run_on_team(members, body);
  return !cancel.requested();
}

template <class T>
double mean_loss(const State<T>& state, ConstMatrix<T> head, const ops::Targets<T>& targets, const T* weights) {
  core::Buffer<T> scale(head.rows), row_loss(head.rows);
  ops::loss_scale<T>(weights, head.rows, scale.data());
  ops::loss_rows<T>(state.network.kernels, state.loss, head, targets, scale.data(), row_loss.data(), {});
  return ops::total_loss(head.rows, scale.data(), row_loss.data());
}

template bool predict(State<float>&, ConstMatrix<float>, Matrix<float>, Matrix<float>);
template bool predict(State<double>&, ConstMatrix<double>, Matrix<double>, Matrix<double>);
template double mean_loss(const State<float>&, ConstMatrix<float>, const ops::Targets<float>&, const float*);
template double mean_loss(const State<double>&, ConstMatrix<double>, const ops::Targets<double>&, const double*);

}  // namespace nnext::train
