// Layers of a network that follow each other, from one value to another: all of them, or a slice. What trains or predicts
// goes through a section, and knows nothing of the layers beside it.
#pragma once

#include "nn/network.h"

namespace nnext::nn {

template <class T>
class Section {
 public:
  // All layers, and the extents of a sample as people write them, if they are told. Throws std::invalid_argument where
  // layers do not fit together.
  explicit Section(Network<T>& network, std::span<const Size> told_shape = {});
  // All layers of a network that has those of a section.
  Section(Network<T>& network, const Section& like);
  // The layers [first, last) of a section, of which there is one at least.
  Section(const Section& of, Size first, Size last);

  Network<T>& network() const { return network_; }
  std::span<Node<T>> nodes() const { return nodes_; }
  Value input_value() const { return input_value_; }
  Value output() const { return output_value_; }      // what it gives
  Size values() const { return network_.values; }     // of the whole network, which Value counts
  Size parameters() const { return parameters_; }     // with buffers
  Numbering numbering() const { return numbering_; }  // of its first layer
  bool has(const Node<T>& node) const { return nodes_.data() <= &node && &node < nodes_.data() + nodes_.size(); }
  bool meets(const Section& other) const {  // one of the same network: whether they share a layer
    return !nodes_.empty() && !other.nodes_.empty() && (has(other.nodes_.front()) || other.has(nodes_.front()));
  }

  // Of a sample; none where it was not told.
  const std::vector<Size>& told_shape() const { return told_shape_; }
  // What the first layer that wants something of its input wants; nothing where none does.
  const std::optional<Intake>& intake() const { return intake_; }
  // The shape of a sample, where it was told or there is but one that the first layers take.
  const std::optional<Shape>& input() const { return input_; }
  // Whether samples have steps, as the layers or the told shape say.
  bool takes_steps() const { return input_ ? input_->axes == 1 : steps_only_ || (intake_ && intake_->axes == 1); }
  bool takes_only_input() const { return takes_only_input_; }  // and no samples with more places
  // The shape of samples with these extents, as people write them; nothing where they are too many or too few.
  std::optional<Shape> read(std::span<const Size> extents) const;
  // Of each value within, for such samples; the last one's. Throw std::invalid_argument where layers do not fit.
  std::vector<Shape> shapes(const Shape& in) const;
  // A sample of one step, where the layers tell the rest of it; nothing where samples are no sequences.
  std::optional<Shape> one_step() const;
  void require_steps() const;  // throws where samples cannot go through the layers a step at a time
  // Throws where a layer does not take sequences that have ends of their own, of so many steps.
  void require_lengths(const Shape& in, std::span<const std::uint32_t> of) const;
  // How many steps of the output count, of a sample of so many; nothing where it has no steps.
  std::optional<Size> out_length(const Shape& in, Size length) const;
  Shape out_shape(const Shape& in) const { return in == input_ ? output_ : shapes(in)[output()]; }

  // Parameters are counted from the first of the section. The index of a node's parameter i:
  Size index(const Node<T>& node, Size i) const { return node.first_parameter - first_parameter_ + i; }
  // Calls f(node, parameter, index).
  template <class F>
  void for_parameters(F f) const {
    Size index = 0;
    for (const Node<T>& node : nodes_)
      for (Parameter<T>& parameter : node.layer->parameters) f(node, parameter, index++);
  }
  const Node<T>& owner(Size parameter) const;  // by its index
  Parameter<T>& parameter(Size index_) const {
    const Node<T>& node = owner(index_);
    return node.layer->parameters[index_ - index(node, 0)];
  }
  bool parameters_finite() const;
  // The layers at a path and, where that holds others, all of these.
  std::vector<Layer<T>*> layers_at(const std::string& path) const;
  std::vector<std::string> frozen() const;  // paths of layers with parameters

 private:
  using Sizes = std::vector<Size>;
  Section(Network<T>& network, Size first, Size last, Sizes told_shape, const std::optional<Shape>& told = {});
  std::optional<Shape> told_before(Size layer) const;
  bool are_steps(std::span<const Size> extents) const;
  bool fit(const Shape& in) const;  // whether the layers take that
  template <class F>
  std::vector<Size> lengths(const Shape& in, Size length, F f) const;
  void require_joinable(const Shape& in, std::span<const std::uint32_t> of) const;
  void find_intake(const Layer<T>& layer);
  void find_input();

  Network<T>& network_;
  Size first_layer_;  // among the network's
  Numbering numbering_;
  std::span<Node<T>> nodes_;
  Value input_value_ = kInput, output_value_ = kInput;
  Size first_parameter_ = 0, parameters_ = 0;
  std::vector<Size> told_shape_;
  std::optional<Shape> known_;  // of a sample, where these extents alone would read otherwise
  std::optional<Intake> intake_;
  bool channels_matter_ = false;  // to a layer before the one that wants that
  std::optional<Shape> input_;
  bool takes_only_input_ = false;
  bool steps_only_ = false;    // layers that take features alone come before some that take sequences
  bool channels_kept_ = true;  // on the way from the input, while layers are looked at
  Shape output_;               // for that input
};

}  // namespace nnext::nn
