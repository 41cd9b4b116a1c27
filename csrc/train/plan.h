// The plan of a pass: which layer reads and writes which part of one arena, worked out once for a network and a batch
// size.
#pragma once

#include <vector>

#include "core/buffer.h"
#include "nn/network.h"

namespace nnext::train {

using core::ConstMatrix;
using core::Matrix;
using core::Size;

// A slot holds `batch` rows of activations, and in training of their gradients. Layers that work in place share one.
using Slot = Size;
inline constexpr Slot kInput = 0;

template <class T>
struct Stage {
  nn::Layer<T>* layer;
  Slot x, y;
  Size scratch = 0, scratch_bytes = 0;  // in Plan's
};

enum class Use { predict, train };

template <class T>
class Plan {
 public:
  // `head` is the number of layers before the loss: all, or one less where the last one is fused with it.
  // Throws std::invalid_argument where the layers do not fit together.
  Plan(const nn::Network<T>& network, Size in_features, Size batch, Size head, Use use);

  const std::vector<Stage<T>>& stages() const { return stages_; }
  Size head_stages() const { return head_stages_; }  // stages up to the loss
  Slot head() const { return head_; }                // what the loss reads
  Slot output() const { return output_; }            // what the last layer gives
  Size batch() const { return batch_; }
  Size features(Slot slot) const { return slots_[slot].features; }
  double flops_per_row() const { return flops_per_row_; }  // forward

  // Rows [first, first + count) of a slot. The input slot is there to gather a batch into; it may stay unused.
  Matrix<T> value(Slot slot, Size first, Size count);
  Matrix<T> gradient(Slot slot, Size first, Size count);
  // What the gradients of a stage's parameters share; null where they need nothing.
  std::byte* scratch(const Stage<T>& stage) {
    return stage.scratch_bytes == 0 ? nullptr : scratch_.data() + stage.scratch;
  }
  bool has_scratch() const { return scratch_.size() > 0; }

 private:
  struct Extent {
    Size features, offset;
  };
  Slot add_slot(Size features);

  Size batch_;
  std::vector<Extent> slots_;
  std::vector<Stage<T>> stages_;
  Size head_stages_ = 0;
  Slot head_ = kInput, output_ = kInput;
  Size values_ = 0;  // elements of all values; the gradients follow them in the same order
  double flops_per_row_ = 0;
  core::Buffer<T> arena_;
  core::Buffer<std::byte> scratch_;
};

}  // namespace nnext::train
