// The plan of a pass: where every layer finds what it reads and writes, worked out once for a section and a batch size.
// Immutable; train/arena.h holds the numbers.
#pragma once

#include <limits>
#include <vector>

#include "nn/section.h"

namespace nnext::train {

using core::ConstMatrix;
using core::Matrix;
using core::Shape;
using core::Size;

// Rows of `features` numbers, from `offset` on, in an arena. Values that are the same numbers, or of which one takes
// the place of the other, share one.
struct Place {
  Size features = 0, offset = 0;
  bool input = false;  // the batch itself: it may lie in somebody else's memory
};

// Where sequences have ends of their own: how many steps a row has behind a layer that changes that, from how many it had
// before.
template <class T>
struct LengthRule {
  Size from;  // the rule that tells those
  const nn::Layer<T>* layer;
};
inline constexpr Size kGivenLengths = 0;  // those of the batch need no rule
inline constexpr Size kNoLengths = std::numeric_limits<Size>::max();

// A layer that computes something, and its places.
template <class T>
struct Stage {
  const nn::Node<T>* node;
  nn::Traits traits;
  Shape in, out;              // of a row of x and dx, and of y and dy
  Place x, y, dy, dx, saved;  // dy and dx in training only
  std::vector<Place> more_x{}, more_dx{}, more_dy{};
  Size shared = 0, own = 0;  // offsets in bytes
  Size state = 0;            // offset among the numbers that a row carries
  bool carries = false;
  Size in_lengths = kNoLengths, out_lengths = kNoLengths;
  bool goes_forward() const { return !traits.forward_identity; }
  bool goes_backward() const { return !traits.backward_identity; }
  nn::Layer<T>& layer() const { return *node->layer; }
  bool trains() const { return layer().trainable && !layer().parameters.empty(); }
};

// predict: by one thread, so that memory that has been read can be used again. evaluate and train: by a team.
enum class Use { predict, evaluate, train };

template <class T>
class Plan {
 public:
  // `head` is the number of nodes before the loss: all, or one less where the last one is fused with it.
  // Throws std::invalid_argument where the layers do not fit together.
  Plan(const nn::Section<T>& section, const Shape& in, Size batch, Size head, Use use);

  const std::vector<Stage<T>>& stages() const { return stages_; }
  Size head_stages() const { return head_stages_; }          // stages up to the loss
  Size first_trainable() const { return first_trainable_; }  // nothing below needs a gradient
  Size first_backward() const;                               // stages before the loss that go backward begin here
  const Place& input() const { return input_; }
  const Place& head() const { return head_; }  // what the loss reads
  const Place& head_gradient() const { return head_gradient_; }
  const Place& output() const { return output_; }  // what the last layer gives
  const Shape& input_shape() const { return input_shape_; }
  const Shape& head_shape() const { return head_shape_; }
  const Shape& output_shape() const { return output_shape_; }
  const Place& output_gradient() const { return output_gradient_; }
  const Place& input_gradient() const { return input_gradient_; }
  // Of sequences: the rules by which what they become has lengths, those of what the loss reads, and of the output.
  std::span<const LengthRule<T>> length_rules() const { return length_rules_; }
  Size head_lengths() const { return head_lengths_; }
  Size output_lengths() const { return output_lengths_; }
  // How many places of what the loss reads count, of a row of so many steps.
  Size head_length(Size given) const { return length(head_lengths_, given); }
  Size batch() const { return batch_; }
  bool training() const { return training_; }
  Size row_grain() const { return row_grain_; }
  Size min_rows() const { return min_rows_; }              // of a batch
  double flops_per_row() const { return flops_per_row_; }  // forward
  // Rows that should go through all layers before the next do, so that what a layer gives is still in the cache.
  Size block_rows() const { return block_rows_; }

  Size numbers() const { return numbers_; }              // in an arena
  Size carried() const { return carried_; }              // that a row carries from pass to pass, where it does
  bool carries_state() const { return carries_state_; }  // in training: each batch goes on from the one before
  Size shared_bytes() const { return shared_bytes_; }    // of all members of a team
  // Of each: what layers keep there, and at its end what a layer has for the time of a call.
  Size own_bytes() const { return own_bytes_ + scratch_bytes_; }
  Size scratch() const { return own_bytes_; }  // where that begins

 private:
  struct Layout;
  void lay_out_values(const nn::Section<T>& section, Size head, Layout& layout);
  void lay_out_gradients(const nn::Section<T>& section, Layout& layout);
  void add_room(const nn::Room& room, Stage<T>& stage, Layout& layout);
  Size lengths_behind(const nn::Node<T>& node, Size before, const Shape& out);
  Size length(Size rule, Size given) const;
  void find_first_trainable();
  void find_block_rows();

  Size batch_;
  bool training_;
  std::vector<Stage<T>> stages_;
  std::vector<LengthRule<T>> length_rules_;
  Size head_lengths_ = kNoLengths, output_lengths_ = kNoLengths;
  Size head_stages_ = 0, first_trainable_ = 0;
  Shape input_shape_, head_shape_, output_shape_;
  Place input_, head_, head_gradient_, output_, output_gradient_, input_gradient_;
  Size row_grain_ = 1, min_rows_ = 1;
  Size block_rows_ = std::numeric_limits<Size>::max();
  double flops_per_row_ = 0;
  bool carries_state_ = false;
  Size numbers_ = 0, carried_ = 0, shared_bytes_ = 0, own_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace nnext::train
