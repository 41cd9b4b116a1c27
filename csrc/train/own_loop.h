// The same ops step by step, for those who write their own training loop: forward, backward, step.
#pragma once

#include <memory>

#include "train/batch.h"

namespace nnext::train {

template <class T>
class OwnLoop {
 public:
  explicit OwnLoop(State<T>& state) : state_(state) {}

  // The network's output for the batch x, [x.rows, outputs]; remembers what backward() needs.
  ConstMatrix<T> forward(ConstMatrix<T> x, bool training);
  // From the gradient of the output to that of the input, and of every trainable parameter.
  ConstMatrix<T> backward(ConstMatrix<T> dy);
  // Mean loss of the batch with all gradients, through the stable form that fit uses.
  double loss_and_gradients(ConstMatrix<T> x, const ops::Targets<T>& targets, const T* weights);
  // Applies the optimizer to the gradients of the last backward pass.
  void step(double lr);

  bool has_gradients() const { return has_gradients_; }
  // Over all layers, stored like the parameters; zero where the layer is frozen.
  const std::vector<core::Buffer<T>>& gradients() const { return gradients_; }
  // Forgets the last passes: parameters, frozen layers or the loss have changed.
  void reset() { plan_.reset(), gradients_.clear(), has_gradients_ = false; }

 private:
  void prepare(ConstMatrix<T> x, bool training);
  void forward_stages(Size first, Size last);
  void backward_stages(Size first, Size last);
  nn::Pass<T> pass() const { return {state_.network.kernels, state_.network.seed, state_.counters.step, training_}; }
  int members() const { return runtime::members_for(plan_->flops_per_row() * static_cast<double>(rows_)); }

  State<T>& state_;
  std::unique_ptr<Plan<T>> plan_;
  Size rows_ = 0;
  bool training_ = true;
  bool has_gradients_ = false;
  std::vector<GradientTask<T>> tasks_;
  std::vector<core::Buffer<T>> gradients_;
};

}  // namespace nnext::train
