// From the description of a layer to the nodes of a network: one row a kind in registry.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "nn/network.h"

namespace nnext::nn {

// Appends nodes to a network, each reading what the one before gives.
template <class T>
class Builder {
 public:
  explicit Builder(Network<T>& network) : network_(network), inner_(network.numbering.inner) {}

  // Layers under the paths prefix + "0", prefix + "1" ..., the outermost from the network's numbering on.
  void add_layers(const std::vector<core::Config>& layers, const std::string& prefix);
  void add(std::unique_ptr<Layer<T>> layer);
  // Branches that all read the input, and what joins them. An empty one is no layer at all.
  using Branch = std::pair<std::string, const std::vector<core::Config>*>;  // its path within the layer, its layers
  void add_branches(const std::vector<Branch>& branches, std::unique_ptr<Layer<T>> join);

  const kernels::KernelTable<T>& kernels() const { return network_.kernels; }
  Size number() const { return number_; }  // of the layer that is being added, for its random numbers
  void begin_inner();                      // what is added from now on is another one, within the same layer

 private:
  Node<T>& append(std::unique_ptr<Layer<T>> layer, std::vector<Value> inputs, Size outputs);

  Network<T>& network_;
  std::string path_, kind_;  // of the layer that is being added
  Size number_ = 0;
  Size depth_ = 0;  // 1 for layers that no other holds
  Size inner_;      // how many so far are held by another
};

}  // namespace nnext::nn
