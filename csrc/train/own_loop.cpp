#include "train/own_loop.h"

#include "core/errors.h"

namespace nnext::train {

using runtime::Member;
using runtime::Range;

template <class T>
void OwnLoop<T>::prepare(ConstMatrix<T> x, bool training) {
  has_gradients_ = false;
  if (plan_ == nullptr || plan_->batch() < x.rows || plan_->features(kInput) != x.cols || training != training_)
    plan_ = std::make_unique<Plan<T>>(state_.network, x.cols, x.rows, state_.head, training ? Use::train : Use::predict);
  training_ = training;
  rows_ = x.rows;
  // The caller's x may be gone when backward() needs it.
  for (Size i = 0; i < rows_; ++i) std::copy_n(x.row(i), x.cols, plan_->value(kInput, i, 1).data);
}

template <class T>
void OwnLoop<T>::forward_stages(Size first, Size last) {
  const Matrix<T> x = plan_->value(kInput, 0, rows_);
  auto body = [&](Member& me) { forward_rows<T>(*plan_, pass(), x, me.share(rows_), first, last); };
  runtime::run_on_team(members(), body);
}

template <class T>
ConstMatrix<T> OwnLoop<T>::forward(ConstMatrix<T> x, bool training) {
  prepare(x, training);
  forward_stages(0, plan_->stages().size());
  return plan_->value(plan_->output(), 0, rows_);
}

// Gradients of what stages [first, last) read, given that of what the last of them gives, and of all parameters.
template <class T>
void OwnLoop<T>::backward_stages(Size first, Size last) {
  for (Size i = first; i < last; ++i) plan_->stages()[i].layer->refresh();
  tasks_ = gradient_tasks(state_.network, *plan_);
  if (gradients_.empty())
    for (const auto& layer : state_.network.layers)
      for (const nn::Parameter<T>& parameter : layer->parameters) gradients_.emplace_back(parameter.values.size());
  const std::vector<Range> shares = share_tasks(tasks_, members());
  const Matrix<T> x = plan_->value(kInput, 0, rows_);
  auto body = [&](Member& me) {
    backward_rows<T>(*plan_, pass(), me.share(rows_), first, last);
    me.barrier();
    const Range mine = shares[static_cast<Size>(me.index())];
    for (Size i = mine.begin; i < mine.end; ++i)
      compute_gradient<T>(*plan_, pass(), x, tasks_[i], gradients_[tasks_[i].parameter].data() + tasks_[i].piece.offset);
  };
  runtime::run_on_team(static_cast<int>(shares.size()), body);
  has_gradients_ = true;
}

template <class T>
ConstMatrix<T> OwnLoop<T>::backward(ConstMatrix<T> dy) {
  if (plan_ == nullptr || rows_ == 0 || !training_)
    throw std::logic_error("[backward] there is no forward pass to go back through; call forward(X, training=True) first");
  if (dy.rows != rows_ || dy.cols != plan_->features(plan_->output()))
    core::fail_value("[backward] dY is (", dy.rows, ", ", dy.cols, ") but the output was (", rows_, ", ",
                     plan_->features(plan_->output()), "); give the gradient of the last forward's output");
  for (Size i = 0; i < rows_; ++i) std::copy_n(dy.row(i), dy.cols, plan_->gradient(plan_->output(), i, 1).data);
  backward_stages(0, plan_->stages().size());
  return plan_->gradient(kInput, 0, rows_);
}

template <class T>
double OwnLoop<T>::loss_and_gradients(ConstMatrix<T> x, const ops::Targets<T>& targets, const T* weights) {
  prepare(x, true);
  forward_stages(0, plan_->head_stages());
  core::Buffer<T> scale(rows_), row_loss(rows_);
  ops::loss_scale<T>(weights, rows_, scale.data());
  ops::loss_rows<T>(state_.network.kernels, state_.loss, plan_->value(plan_->head(), 0, rows_), targets, scale.data(),
                    row_loss.data(), plan_->gradient(plan_->head(), 0, rows_));
  const Size head = plan_->head_stages();
  backward_stages(std::min(first_trainable_stage(*plan_) + 1, head), head);
  rows_ = 0;  // no output was computed that backward() could start from
  return ops::total_loss(row_loss.size(), scale.data(), row_loss.data());
}

template <class T>
void OwnLoop<T>::step(double lr) {
  if (!has_gradients_)
    throw std::logic_error("[step] there are no gradients; call backward(dY) or loss_and_grads(X, y) first");
  Gate::Writer writer(state_.gate);
  state_.optimizer->begin_step(lr, state_.counters.optimizer_step + 1);
  for (const GradientTask<T>& task : tasks_)
    state_.apply(*task.stage.layer, task.parameter, task.piece, gradients_[task.parameter].data() + task.piece.offset);
  ++state_.counters.step, ++state_.counters.optimizer_step;
  has_gradients_ = false;
}

template class OwnLoop<float>;
template class OwnLoop<double>;

}  // namespace nnext::train
