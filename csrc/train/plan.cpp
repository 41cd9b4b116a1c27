#include "train/plan.h"

#include <algorithm>
#include <string>

#include "runtime/costs.h"

namespace nnext::train {

// What is being laid out. Until the end a Place's offset is the number of its space.
template <class T>
struct Plan<T>::Layout {
  // Used by the stages [first, last] (in training to the end).
  struct Space {
    Size features, first, last;
    bool kept = false;    // its numbers are read again, so no layer may write in place
    bool shared = false;  // several values are these numbers: nor may one then
    Size offset = 0;
  };
  std::vector<Space> spaces;
  std::vector<Shape> shapes;            // of each value
  std::vector<Size> values, gradients;  // the space of each value
  std::vector<Size> lengths;            // the rule of each value
  nn::Value head = nn::kInput;          // what the loss reads

  Place place(Size space) const { return {spaces[space].features, space, space == 0}; }
  Size add(Size features, Size stage) {
    spaces.push_back({features, stage, stage});
    return spaces.size() - 1;
  }
  // An offset for each space, first fit: spaces that are not in use at the same time may share memory.
  Size settle(Size batch) {
    constexpr Size kLine = core::kCacheLine / sizeof(T);
    const auto size = [&](const Space& s) { return core::round_up(core::checked_product(batch, s.features), kLine); };
    Size end = 0;
    for (Size i = 0; i < spaces.size(); ++i) {
      Space& mine = spaces[i];
      for (bool moved = true; moved;) {
        moved = false;
        for (Size j = 0; j < i; ++j) {
          const Space& other = spaces[j];
          const bool apart = other.last < mine.first || mine.last < other.first;
          if (apart || mine.offset >= other.offset + size(other) || other.offset >= mine.offset + size(mine)) continue;
          mine.offset = other.offset + size(other), moved = true;
        }
      }
      end = std::max(end, mine.offset + size(mine));
    }
    return end;
  }
};

template <class T>
Plan<T>::Plan(const nn::Section<T>& section, const Shape& in, Size batch, Size head, Use use)
    : batch_(batch), training_(use == Use::train), input_shape_(in) {
  Layout layout;
  layout.shapes = section.shapes(in);
  lay_out_values(section, head, layout);
  if (training_) lay_out_gradients(section, layout);
  for (typename Layout::Space& space : layout.spaces)
    if (use != Use::predict) space.first = 0, space.last = stages_.size();
  numbers_ = layout.settle(batch_);
  const auto settle = [&](Place& place) { place.offset = layout.spaces[place.offset].offset; };
  for (Stage<T>& stage : stages_) {
    for (Place* place : {&stage.x, &stage.y, &stage.dy, &stage.dx, &stage.saved}) settle(*place);
    for (std::vector<Place>* more : {&stage.more_x, &stage.more_dx, &stage.more_dy})
      for (Place& place : *more) settle(place);
  }
  for (Place* place : {&input_, &head_, &head_gradient_, &output_, &output_gradient_, &input_gradient_}) settle(*place);
  find_first_trainable();
  find_block_rows();
}

template <class T>
void Plan<T>::lay_out_values(const nn::Section<T>& section, Size head, Layout& layout) {
  layout.values.assign(section.values(), 0);
  layout.lengths.assign(section.values(), kNoLengths);
  if (input_shape_.axes == 1) layout.lengths[section.input_value()] = kGivenLengths, length_rules_.push_back({});
  layout.add(input_shape_.numbers(), 0);
  layout.spaces[0].kept = true;
  input_ = layout.place(0);
  const auto reach_head = [&](nn::Value value) {
    const Size space = layout.values[value];
    layout.head = value;
    head_ = layout.place(space), head_shape_ = layout.shapes[value], head_stages_ = stages_.size();
    head_lengths_ = layout.lengths[value];
    layout.spaces[space].kept = true;
    layout.spaces[space].last = stages_.size();
  };
  for (Size i = 0; i < section.nodes().size(); ++i) {
    const nn::Node<T>& node = section.nodes()[i];
    if (i == head) reach_head(node.inputs.front());
    const Shape &in = layout.shapes[node.inputs.front()], &out = layout.shapes[node.outputs.front()];
    const nn::Traits traits = node.layer->traits(in, training_);
    const Size from = layout.values[node.inputs.front()], at = stages_.size();
    Size to = from;
    if (!traits.forward_identity) {
      const typename Layout::Space& x = layout.spaces[from];
      const bool reads_x = training_ && traits.reads_x;
      const bool in_place = traits.in_place && !x.kept && !x.shared && !reads_x && out.numbers() == in.numbers();
      if (!in_place) to = layout.add(out.numbers(), at);
      layout.spaces[from].kept |= reads_x;
      layout.spaces[to].kept |= training_ && traits.reads_y;
    }
    layout.spaces[to].shared |= node.outputs.size() > 1;
    const Size lengths = layout.lengths[node.inputs.front()], lengths_out = lengths_behind(node, lengths, out);
    for (const nn::Value value : node.outputs) layout.values[value] = to, layout.lengths[value] = lengths_out;
    if (traits.forward_identity && (traits.backward_identity || !training_)) continue;
    Stage<T> stage{&node, traits, in, out, layout.place(from), layout.place(to), {}, {}, {}};
    stage.in_lengths = lengths, stage.out_lengths = lengths_out;
    for (const nn::Value input : node.inputs) layout.spaces[layout.values[input]].last = at;
    for (Size k = 1; k < node.inputs.size(); ++k) stage.more_x.push_back(layout.place(layout.values[node.inputs[k]]));
    layout.spaces[to].last = at;
    add_room(node.layer->room(in, batch_, training_), stage, layout);
    row_grain_ = std::max(row_grain_, traits.row_grain);
    carries_state_ |= traits.carries_state;
    min_rows_ = std::max(min_rows_, traits.min_rows);
    stages_.push_back(std::move(stage));
  }
  if (head >= section.nodes().size()) reach_head(section.output());
  const Size output = layout.values[section.output()];
  output_ = layout.place(output), output_shape_ = layout.shapes[section.output()];
  output_lengths_ = layout.lengths[section.output()];
  layout.spaces[output].last = stages_.size();
}

// Where a layer treats every step by itself, there are as many behind it.
template <class T>
Size Plan<T>::lengths_behind(const nn::Node<T>& node, Size before, const Shape& out) {
  if (before == kNoLengths || out.axes != 1) return kNoLengths;
  if (!node.layer->joins_places()) return before;
  length_rules_.push_back({before, node.layer.get()});
  return length_rules_.size() - 1;
}

template <class T>
Size Plan<T>::length(Size rule, Size given) const {
  if (rule == kGivenLengths) return given;
  return length_rules_[rule].layer->out_length(length(length_rules_[rule].from, given));
}

template <class T>
void Plan<T>::add_room(const nn::Room& room, Stage<T>& stage, Layout& layout) {
  if (room.saved > 0) stage.saved = layout.place(layout.add(room.saved, stages_.size()));
  stage.shared = shared_bytes_, stage.own = own_bytes_;
  stage.state = carried_, stage.carries = room.carried > 0;
  carried_ += room.carried;
  shared_bytes_ += core::round_up(room.shared, core::kCacheLine);
  own_bytes_ += core::round_up(room.own, core::kCacheLine);
  scratch_bytes_ = std::max(scratch_bytes_, core::round_up(room.scratch, core::kCacheLine));
  flops_per_row_ += room.flops;
}

// From the last value to the first. What several layers read has several gradients, which a Fork adds. What joins
// branches gives each input a gradient of its own, unless all have that of the output.
template <class T>
void Plan<T>::lay_out_gradients(const nn::Section<T>& section, Layout& layout) {
  layout.gradients.assign(section.values(), 0);
  layout.gradients[section.output()] = layout.add(output_.features, 0);
  output_gradient_ = layout.place(layout.gradients[section.output()]);
  Size stage = stages_.size();
  for (Size i = section.nodes().size(); i-- > 0;) {
    const nn::Node<T>& node = section.nodes()[i];
    const Size from = layout.gradients[node.outputs.front()];
    const nn::Traits traits = node.layer->traits(layout.shapes[node.inputs.front()], true);
    const bool joins = node.inputs.size() > 1;
    for (const nn::Value input : node.inputs) {
      const Size numbers = layout.shapes[input].numbers();
      const bool in_place = traits.in_place && !joins && !layout.spaces[from].shared;
      const bool same = traits.backward_identity || (in_place && numbers == layout.spaces[from].features);
      const Size to = same ? from : layout.add(numbers, 0);
      layout.spaces[to].shared |= joins && same;
      layout.gradients[input] = to;
    }
    if (stage == 0 || stages_[stage - 1].node != &node) continue;  // nothing to compute
    Stage<T>& at = stages_[--stage];
    const auto gradient = [&](nn::Value value) { return layout.place(layout.gradients[value]); };
    at.dy = layout.place(from), at.dx = gradient(node.inputs.front());
    for (Size k = 1; k < node.inputs.size(); ++k) at.more_dx.push_back(gradient(node.inputs[k]));
    for (Size k = 1; k < node.outputs.size(); ++k) at.more_dy.push_back(gradient(node.outputs[k]));
  }
  input_gradient_ = layout.place(layout.gradients[section.input_value()]);
  head_gradient_ = layout.place(layout.gradients[layout.head]);
}

template <class T>
void Plan<T>::find_first_trainable() {
  while (first_trainable_ < stages_.size() && !stages_[first_trainable_].trains()) ++first_trainable_;
}

// Rows of features go all at once: weights, which are more than they, would be read again for each block.
template <class T>
void Plan<T>::find_block_rows() {
  Size largest = 0;  // numbers that a layer reads and writes for a row with many places
  for (const Stage<T>& stage : stages_) {
    if (stage.traits.rows_together) return;
    if (stage.in.places() > 1) largest = std::max(largest, stage.in.numbers() + stage.out.numbers());
  }
  if (largest == 0) return;
  const Size rows = runtime::kBlockBytes / (largest * sizeof(T));
  block_rows_ = std::max(row_grain_, rows / row_grain_ * row_grain_);
}

// What the first trainable stage reads needs no gradient, so that stage itself goes backward only for its own.
template <class T>
Size Plan<T>::first_backward() const {
  if (first_trainable_ >= head_stages_) return head_stages_;
  return first_trainable_ + (stages_[first_trainable_].traits.gradients_follow_backward ? 0 : 1);
}

template class Plan<float>;
template class Plan<double>;

}  // namespace nnext::train
