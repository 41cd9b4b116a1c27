#include "train/own_loop.h"

#include "core/errors.h"
#include "runtime/denormals.h"

namespace nnext::train {

using runtime::Member;
using runtime::Range;

template <class T>
void OwnLoop<T>::prepare(const InputRows<T>& x, bool training) {
  forget_passes();
  if (plan_ == nullptr || plan_->batch() < x.rows || plan_->features(kInput) != x.cols || training != training_)
    plan_ =
        std::make_unique<Plan<T>>(state_.network, x.cols, x.rows, state_.head, training ? Use::train : Use::predict);
  if (training)
    for (const Stage<T>& stage : plan_->stages()) stage.layer->refresh(nn::Derived::forward);
  training_ = training;
}

// The first `last` stages for rows of x, which is copied: the caller's may be gone when backward() needs it.
template <class T>
void OwnLoop<T>::forward_block(const Member& me, const InputRows<T>& x, Range rows, Size last) {
  x.read(rows.begin, plan_->value(kInput, rows.begin, rows.size()));
  forward_rows<T>(*plan_, pass(me), plan_->value(kInput, 0, x.rows), rows, {0, last});
}

template <class T>
ConstMatrix<T> OwnLoop<T>::forward(const InputRows<T>& x, bool training, runtime::Cancel& cancel) {
  prepare(x, training);
  auto body = [&](Member& me) {
    const runtime::FlushDenormals flush(state_.network.kernels.flush_subnormals);
    for_blocks(me, x.rows, [&](Range rows) { forward_block(me, x, rows, plan_->stages().size()); });
  };
  runtime::run_on_team(runtime::members_for(flops(x.rows)), body, runtime::where_long(flops(x.rows), cancel));
  if (cancel.requested()) return {};
  rows_ = x.rows;
  return plan_->value(plan_->output(), 0, rows_);
}

// Gradients of what these stages read, and of all parameters. start(me, rows) computes the gradient of what the last of
// these stages gives.
template <class T>
template <class F>
void OwnLoop<T>::differentiate(Size n, Stages stages, runtime::Cancel& cancel, F start) {
  for (Size i = stages.first; i < stages.last; ++i) plan_->stages()[i].layer->refresh(nn::Derived::all);
  tasks_ = gradient_tasks(state_.network, *plan_);
  if (gradients_.empty()) gradients_ = gradient_buffers(state_.network);
  const Shares shares = share_rows(tasks_, runtime::members_for(flops(n)));
  const Matrix<T> x = plan_->value(kInput, 0, n);
  auto body = [&](Member& me) {
    const runtime::FlushDenormals flush(state_.network.kernels.flush_subnormals);
    for_blocks(me, n, [&](Range rows) {
      start(me, rows);
      backward_rows<T>(*plan_, pass(me), rows, stages);
    });
    me.barrier();
    prepare_gradients<T>(*plan_, pass(me), me, x);
    for_own_tasks(me, shares, [&](Size i) {
      compute_gradient<T>(*plan_, pass(me), x, tasks_[i],
                          gradients_[tasks_[i].parameter].data() + tasks_[i].piece.offset);
    });
  };
  runtime::run_on_team(static_cast<int>(shares.count()), body, runtime::where_long(3 * flops(n), cancel));
  has_gradients_ = !cancel.requested();
}

template <class T>
ConstMatrix<T> OwnLoop<T>::backward(const InputRows<T>& dy, runtime::Cancel& cancel) {
  if (plan_ == nullptr || rows_ == 0 || !training_)
    throw std::logic_error(
        "[backward] there is no forward pass to go back through; call forward(X, training=True) first");
  if (dy.rows != rows_ || dy.cols != plan_->features(plan_->output()))
    core::fail_value("[backward] dY is (", dy.rows, ", ", dy.cols, ") but the output was (", rows_, ", ",
                     plan_->features(plan_->output()), "); give the gradient of the last forward's output");
  has_gradients_ = false;
  differentiate(rows_, {0, plan_->stages().size()}, cancel, [&](const Member&, Range rows) {
    dy.read(rows.begin, plan_->gradient(plan_->output(), rows.begin, rows.size()));
  });
  return plan_->gradient(kInput, 0, rows_);
}

template <class T>
double OwnLoop<T>::loss_and_gradients(const InputRows<T>& x, const ops::Targets<T>& targets, const T* weights,
                                      runtime::Cancel& cancel) {
  prepare(x, true);
  core::Buffer<T> scale(x.rows), row_loss(x.rows);
  ops::loss_scale<T>(weights, x.rows, scale.data());
  const Size head = plan_->head_stages();
  const Stages backward{std::min(first_trainable_stage(*plan_) + 1, head), head};
  differentiate(x.rows, backward, cancel, [&](const Member& me, Range rows) {
    forward_block(me, x, rows, head);
    ops::loss_rows<T>(*state_.loss, state_.loss_argument, plan_->value(plan_->head(), rows.begin, rows.size()),
                      targets.rows_from(rows.begin, rows.size()), scale.data() + rows.begin,
                      row_loss.data() + rows.begin, plan_->gradient(plan_->head(), rows.begin, rows.size()));
  });
  return ops::total_loss(x.rows, scale.data(), row_loss.data());
}

template <class T>
void OwnLoop<T>::step(double lr, runtime::Cancel& cancel) {
  if (!has_gradients_)
    throw std::logic_error("[step] there are no gradients; call backward(dY) or loss_and_grads(X, y) first");
  const Gate::Writer writer(state_.gate, &cancel);
  if (!writer) return;
  state_.optimizer->begin_step(lr, state_.counters.optimizer_step + 1);
  const runtime::FlushDenormals flush(state_.network.kernels.flush_subnormals);
  for (const GradientTask<T>& task : tasks_)
    state_.apply(*task.stage.layer, task.parameter, task.piece, gradients_[task.parameter].data() + task.piece.offset);
  ++state_.counters.step, ++state_.counters.optimizer_step;
  has_gradients_ = false;
}

template class OwnLoop<float>;
template class OwnLoop<double>;

}  // namespace nnext::train
