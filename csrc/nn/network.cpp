#include "nn/network.h"

#include "core/errors.h"
#include "nn/registry.h"

namespace nnext::nn {

template <class T>
Network<T>::Network(std::uint64_t seed_, const std::vector<core::Config>& layers, Numbering numbering_,
                    const kernels::KernelTable<T>& kernels_)
    : seed(seed_), kernels(kernels_), numbering(numbering_) {
  Builder<T>(*this).add_layers(layers, "");
  for (Node<T>& node : nodes) {
    node.first_parameter = parameters;
    parameters += node.layer->parameters.size();
  }
}

template <class T>
void Network<T>::allocate() {
  for (Node<T>& node : nodes)
    for (Parameter<T>& parameter : node.layer->parameters) parameter.values = core::Buffer<T>(parameter.stored);
}

template <class T>
void Network<T>::initialize(runtime::Cancel& cancel) {
  for (Node<T>& node : nodes) {
    if (cancel.poll()) return;
    try {
      node.layer->initialize({seed, node.number}, cancel);
    } catch (const std::invalid_argument& error) {
      core::fail_value("layer ", node.path, ": ", error.what());
    }
  }
}

template class Network<float>;
template class Network<double>;

}  // namespace nnext::nn
