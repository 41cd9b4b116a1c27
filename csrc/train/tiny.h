// Steps of a network so small that calling its layers takes longer than what they compute: a step of 2-2-1 with 4
// samples has 100 FMAs in 40 calls. Here the layers lie flat, with all pointers resolved, and one call of a kernel
// takes a batch through all of them.
//
// Values lie where the plan has them, and each is the same chain of operations as in the layers: the same bits.
#pragma once

#include <memory>
#include <vector>

#include "train/arena.h"
#include "train/training.h"

namespace nnext::train {

template <class T>
class Tiny {
 public:
  // Null unless every stage up to the loss says that it is fit for it, in a row. Training and view must outlive it.
  // Parameters may change meanwhile, but neither move nor freeze; what layers pack is not kept in step.
  static std::unique_ptr<Tiny> of(Training<T>& training, const Plan<T>& plan, const View<T>& view);

  // For a batch x: what the loss reads; from its gradient those of all parameters; the optimizer's step.
  void forward(ConstMatrix<T> x) const {
    kernels_.forward(layers_.data(), layers_.size(), x.rows, x.data, static_cast<Size>(x.row_stride));
  }
  void backward(ConstMatrix<T> x) const {
    kernels_.backward(layers_.data(), layers_.size(), x.rows, x.data, static_cast<Size>(x.row_stride));
  }
  void update() const {
    for (const Change& change : changes_) {
      training_.groups[change.group].rule->apply(training_.network.kernels.update, change.update);
      if (training_.averages != nullptr) training_.averages->follow(*change.node, change.whole);
    }
  }

 private:
  struct Change {
    Size group;
    optim::Update<T> update;
    const nn::Node<T>* node;
    nn::Piece whole;
  };
  explicit Tiny(Training<T>& training) : training_(training), kernels_(training.network.kernels.tiny) {}
  bool add(const Stage<T>& stage, const nn::Frame<T>& frame);
  void add_layer(const Stage<T>& stage, kernels::TinyLayer<T> layer);
  T* room(Size rows, Size cols);

  Training<T>& training_;
  const kernels::TinyKernels<T>& kernels_;
  std::vector<kernels::TinyLayer<T>> layers_;
  std::vector<core::Buffer<T>> rooms_;  // of gradients and transposed weights
  std::vector<Change> changes_;
};

}  // namespace nnext::train
