// The same ops step by step, for those who write their own training loop: forward, backward, step.
#pragma once

#include <memory>

#include "train/batch.h"
#include "train/input_rows.h"

namespace nnext::train {

template <class T>
class OwnLoop {
 public:
  explicit OwnLoop(State<T>& state) : state_(state) {}

  // Each of these ends early, its result then meaningless and nothing changed, when the host asks to stop.
  // The network's output for the batch x, [x.rows, outputs]; remembers what backward() needs.
  ConstMatrix<T> forward(const InputRows<T>& x, bool training, runtime::Cancel& cancel);
  // From the gradient of the output to that of the input, and of every trainable parameter.
  ConstMatrix<T> backward(const InputRows<T>& dy, runtime::Cancel& cancel);
  // Mean loss of the batch with all gradients, through the stable form that fit uses.
  double loss_and_gradients(const InputRows<T>& x, const ops::Targets<T>& targets, const T* weights,
                            runtime::Cancel& cancel);
  // Applies the optimizer to the gradients of the last backward pass.
  void step(double lr, runtime::Cancel& cancel);

  bool has_gradients() const { return has_gradients_; }
  // Over all layers, stored like the parameters; zero where the layer is frozen.
  const std::vector<core::Buffer<T>>& gradients() const { return gradients_; }
  // Forgets the last passes: parameters, frozen layers or the loss have changed.
  void reset() { plan_.reset(), gradients_.clear(), forget_passes(); }

 private:
  void prepare(const InputRows<T>& x, bool training);
  void forget_passes() { rows_ = 0, has_gradients_ = false; }
  void forward_block(const runtime::Member& me, const InputRows<T>& x, runtime::Range rows, Size last);
  template <class F>
  void differentiate(Size n, Stages stages, runtime::Cancel& cancel, F start);
  nn::Pass<T> pass(const runtime::Member& me) const {
    return {state_.network.kernels, me, state_.network.seed, state_.counters.step, training_};
  }
  double flops(Size rows) const { return plan_->flops_per_row() * static_cast<double>(rows); }  // forward

  State<T>& state_;
  std::unique_ptr<Plan<T>> plan_;
  Size rows_ = 0;  // of the forward pass that backward() may start from; 0: there is none
  bool training_ = true;
  bool has_gradients_ = false;
  std::vector<GradientTask<T>> tasks_;
  std::vector<core::Buffer<T>> gradients_;
};

}  // namespace nnext::train
