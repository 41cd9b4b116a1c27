// Steps of a network so small that calling its layers takes longer than what they compute: a step of 2-2-1 with 4
// samples has 100 FMAs in 40 calls. Here the layers lie flat, with all pointers resolved, and one call of a kernel
// takes a batch through all of them.
//
// Values lie where the plan has them, and each is the same chain of operations as in the layers: the same bits.
#pragma once

#include <memory>
#include <vector>

#include "train/plan.h"
#include "train/state.h"

namespace nnext::train {

template <class T>
class Tiny {
 public:
  // Null unless every stage up to the loss is a narrow Linear or its element-wise activation. State and plan must
  // outlive it. Parameters may change meanwhile, but neither move nor freeze; what layers derive from them is not kept
  // in step.
  static std::unique_ptr<Tiny> of(State<T>& state, Plan<T>& plan);

  // For a batch x: what the loss reads; from its gradient those of all parameters; the optimizer's step.
  void forward(ConstMatrix<T> x) const {
    kernels_.forward(layers_.data(), layers_.size(), x.rows, x.data, static_cast<Size>(x.row_stride));
  }
  void backward(ConstMatrix<T> x) const {
    kernels_.backward(layers_.data(), layers_.size(), x.rows, x.data, static_cast<Size>(x.row_stride));
  }
  void update() const {
    for (const Change& change : changes_) state_.apply(*change.layer, change.parameter, change.piece, change.gradient);
  }

 private:
  struct Change {
    nn::Layer<T>* layer;
    Size parameter;  // over all layers
    nn::Piece piece;
    const T* gradient;
  };
  explicit Tiny(State<T>& state) : state_(state), kernels_(state.network.kernels.tiny) {}
  bool add(const Stage<T>& stage, Plan<T>& plan);
  void add_linear(nn::Layer<T>& layer, kernels::TinyLayer<T> tiny);
  T* room(Size rows, Size cols);

  State<T>& state_;
  const kernels::TinyKernels<T>& kernels_;
  std::vector<kernels::TinyLayer<T>> layers_;
  std::vector<core::Buffer<T>> rooms_;  // of gradients and transposed weights
  std::vector<Change> changes_;
  Size parameters_ = 0;  // of all layers so far
};

}  // namespace nnext::train
