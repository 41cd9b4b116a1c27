// A network: layers as the nodes of a graph over values, and the gate through which its parameters are read and changed.
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

// Where layers are numbered from, by which they have their paths and random numbers: what a part of a network has taken
// with it into a network of its own.
struct Numbering {
  Size layers = 0, inner = 0;  // those that no other holds, and those that are held
};

template <class T>
class Network {
 public:
  // From descriptions of the layers, outermost first. Throws std::invalid_argument where a layer is not known. Allocates
  // nothing of the parameters' size: a description may claim more than there is.
  Network(std::uint64_t seed, const std::vector<core::Config>& layers, Numbering numbering = {},
          const kernels::KernelTable<T>& kernels = kernels::current_kernels<T>());
  void allocate();  // makes room for all parameters, which are then 0
  // Start values, where no others will be set; unfinished where the host asks to stop. Throws where they may be infinite.
  void initialize(runtime::Cancel& cancel);

  // In which a pass computes: whether subnormal numbers are zero is decided here alone.
  runtime::FloatMode float_mode(bool training) const {
    return training && kernels.flush_subnormals ? runtime::FloatMode::flushing() : runtime::FloatMode::plain();
  }

  // Of a layer that no other holds: its first node, and how many layers that others hold were numbered before it.
  struct Begin {
    Size node, inner;
  };

  std::uint64_t seed;
  const kernels::KernelTable<T>& kernels;
  Numbering numbering;
  std::vector<Node<T>> nodes;  // each after those whose values it reads
  std::vector<Begin> begins;
  Value output = kInput;  // what the network gives
  Size values = 1;
  Size parameters = 0;  // with buffers

  mutable runtime::Gate gate;  // readers: predictions and copies; writer: whoever changes parameters
};

}  // namespace nnext::nn
