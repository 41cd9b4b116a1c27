// A network: layers as the nodes of a graph over values, and the gate through which its
// parameters are read and changed.
#pragma once

#include <cstdint>
#include <memory>
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
  // From descriptions of the layers, outermost first. Throws std::invalid_argument where one is not known or they do
  // not fit together. Allocates nothing of the parameters' size: a description may claim more than there is.
  Network(std::uint64_t seed, const std::vector<core::Config>& layers,
          const kernels::KernelTable<T>& kernels = kernels::current_kernels<T>());
  void allocate();    // makes room for all parameters, which are then 0
  void initialize();  // start values, where no others will be set

  std::uint64_t seed;
  const kernels::KernelTable<T>& kernels;
  std::vector<Node<T>> nodes;  // each after those whose values it reads
  Value output = kInput;       // what the network gives
  Size values = 1;
  Size parameters = 0;  // with buffers

  mutable runtime::Gate gate;  // readers: predictions and copies; writer: whoever changes parameters

  // Features a sample has (0: any number), and that the network gives for samples of in_features. Throws
  // where layers do not fit together.
  Size in_features() const { return in_features_; }
  Size out_features(Size in_features) const {
    return in_features == in_features_ && in_features != 0 ? out_features_ : find_out_features(in_features);
  }

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
  Size find_out_features(Size in_features) const;
  Size in_features_ = 0, out_features_ = 0;
};

}  // namespace nnext::nn
