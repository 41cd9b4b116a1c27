// A network: layers as the nodes of a graph over values, and the gate through which its
// parameters are read and changed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/config.h"
#include "kernels/dispatch.h"
#include "nn/layer.h"
#include "runtime/gate.h"

namespace nnext::nn {

// What one layer gives and one other reads. A Fork gives several that are the same numbers.
using Value = Size;
inline constexpr Value kInput = 0;

template <class T>
struct Node {
  std::string path;  // "2" or, within a Residual, "2.body.0"
  std::string kind;  // "Linear"; empty for what Python has no layer for
  Size number;       // that no other layer has: of its random numbers
  std::unique_ptr<Layer<T>> layer;
  std::vector<Value> inputs, outputs;
  Size first_parameter;  // of the layer's, among all of the network
};

template <class T>
class Network {
 public:
  // From descriptions of the layers, outermost first, and the extents of a sample as people write them, if they are
  // told. Throws std::invalid_argument where a layer is not known or they do not fit together. Allocates nothing of the
  // parameters' size: a description may claim more than there is.
  Network(std::uint64_t seed, const std::vector<core::Config>& layers, std::span<const Size> input_shape = {},
          const kernels::KernelTable<T>& kernels = kernels::current_kernels<T>());
  void allocate();    // makes room for all parameters, which are then 0
  void initialize();  // start values, where no others will be set

  std::uint64_t seed;
  const kernels::KernelTable<T>& kernels;
  std::vector<Size> told_shape;  // of a sample; none where it was not told
  std::vector<Node<T>> nodes;    // each after those whose values it reads
  Value output = kInput;         // what the network gives
  Size values = 1;
  Size parameters = 0;  // with buffers

  mutable runtime::Gate gate;  // readers: predictions and copies; writer: whoever changes parameters

  // What the first layer that wants something of its input wants; nothing where none does.
  const std::optional<Intake>& intake() const { return intake_; }
  // The shape of a sample, where it was told or there is but one that the first layers take.
  const std::optional<Shape>& input() const { return input_; }
  bool takes_only_input() const { return takes_only_input_; }  // and no samples with more places
  // The shape of samples with these extents, as people write them; nothing where they are too many or too few.
  std::optional<Shape> read(std::span<const Size> extents) const;
  // Of each value, for such samples; the last one's. Throw std::invalid_argument where layers do not fit together.
  std::vector<Shape> shapes(const Shape& in) const;
  Shape out_shape(const Shape& in) const { return in == input_ ? output_ : shapes(in)[output]; }

  // Calls f(node, parameter, index over all).
  template <class F>
  void for_parameters(F f) const {
    Size index = 0;
    for (const Node<T>& node : nodes)
      for (Parameter<T>& parameter : node.layer->parameters) f(node, parameter, index++);
  }
  const Node<T>& owner(Size parameter) const;  // of a parameter, by its index over all
  bool parameters_finite() const;
  // The layers at a path and, where that holds others, all of these.
  std::vector<Layer<T>*> layers_at(const std::string& path) const;

 private:
  void find_intake(const Layer<T>& layer);
  void find_input(std::span<const Size> input_shape);
  std::optional<Intake> intake_;
  std::optional<Shape> input_;
  bool takes_only_input_ = false;
  bool channels_kept_ = true;  // on the way from the input, while layers are looked at
  Shape output_;               // for that input
};

}  // namespace nnext::nn
