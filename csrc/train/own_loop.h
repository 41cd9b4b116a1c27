// The same programs in parts, for those who write their own training loop: forward, backward, step.
#pragma once

#include <memory>
#include <optional>

#include "data/source.h"
#include "train/clip.h"
#include "train/program.h"

namespace nnext::train {

template <class T>
class OwnLoop {
 public:
  explicit OwnLoop(Training<T>& training) : training_(training) {}

  // Each of these ends early, its result then meaningless and nothing changed, when the host asks to stop.
  // The network's output for the batch x, [x.rows, outputs]; remembers what backward() needs.
  ConstMatrix<T> forward(const data::Source<T>& x, bool training, runtime::Cancel& cancel);
  // From the gradient of the output to that of the input, and of every trainable parameter.
  ConstMatrix<T> backward(const data::Source<T>& dy, runtime::Cancel& cancel);
  // Mean loss of the batch with all gradients, through the stable form that fit uses.
  double loss_and_gradients(const data::Source<T>& x, const ops::Targets<T>& targets, ConstMatrix<T> weights,
                            runtime::Cancel& cancel);
  // Applies the optimizer, whose settings are these from now on, to the gradients of the last backward pass, and the
  // batch's statistics to buffers.
  void step(std::span<const SettingValue> settings, runtime::Cancel& cancel);

  // Of the samples of the last forward pass, and of its output.
  std::pair<Shape, Shape> shapes() const {
    return plan_ == nullptr ? std::pair<Shape, Shape>() : std::pair(plan_->input_shape(), plan_->output_shape());
  }
  bool has_gradients() const { return has_gradients_; }
  const char* why() const { return why_; }  // there is nothing to go on from, where another model has changed it
  // Stored like the parameters; zero where the layer is frozen.
  const std::vector<core::Buffer<T>>& gradients() const { return gradients_.arrays(); }
  // Forgets the last passes: parameters, frozen layers or the loss have changed. `why` is for messages.
  void reset(const char* why = "") { arena_.reset(), plan_.reset(), gradients_ = {}, forget_passes(), why_ = why; }

 private:
  struct Context;
  void prepare(const data::Source<T>& x, bool training, const char* operation);
  void forget_passes() { rows_ = 0, has_gradients_ = went_back_ = false, why_ = ""; }
  void pack(Size first, Size last, nn::Packed wanted);
  void run(const Program& program, Context& context, double flops, runtime::Cancel& cancel);
  double flops(Size rows) const { return plan_->flops_per_row() * static_cast<double>(rows); }  // forward

  Training<T>& training_;
  std::unique_ptr<Plan<T>> plan_;
  std::optional<Arena<T>> arena_;
  Size members_ = 0;  // that the arena is for
  Size rows_ = 0;     // of the forward pass that backward() may start from; 0: there is none
  bool has_gradients_ = false, went_back_ = false;
  const char* why_ = "";
  Shares shares_{};
  Gradients<T> gradients_;
};

}  // namespace nnext::train
