#include "nn/network.h"

#include <stdexcept>

#include "core/errors.h"
#include "nn/registry.h"

namespace nnext::nn {

template <class T>
Network<T>::Network(std::uint64_t seed_, const std::vector<core::Config>& layers,
                    const kernels::KernelTable<T>& kernels_)
    : seed(seed_), kernels(kernels_) {
  Builder<T>(*this).add_layers(layers, "");
  for (Node<T>& node : nodes) {
    node.first_parameter = parameters;
    parameters += node.layer->parameters.size();
    if (in_features_ == 0) in_features_ = node.layer->in_features();
  }
  out_features_ = find_out_features(in_features_ != 0 ? in_features_ : 1);  // or they do not fit together
}

template <class T>
void Network<T>::allocate() {
  for_parameters(
      [](const Node<T>&, Parameter<T>& parameter, Size) { parameter.values = core::Buffer<T>(parameter.stored); });
}

template <class T>
void Network<T>::initialize() {
  for (Node<T>& node : nodes) node.layer->initialize({seed, node.number});
}

template <class T>
Size Network<T>::find_out_features(Size in_features) const {
  std::vector<Size> features(values, in_features);
  for (const Node<T>& node : nodes) try {
      const Size given = features[node.inputs.front()];
      for (const Value input : node.inputs)
        if (features[input] != given)
          core::fail_value("[residual] the body gives ", given, " features but the shortcut ", features[input],
                           "; give both the same, for example with Linear(", features[input], ", ", given,
                           ") at the end of the shortcut");
      for (const Value value : node.outputs) features[value] = node.layer->out_features(given);
    } catch (const std::invalid_argument& error) {
      core::fail_value("layer ", node.path, ": ", error.what());
    }
  return features[output];
}

template <class T>
const Node<T>& Network<T>::owner(Size parameter) const {
  for (const Node<T>& node : nodes)
    if (parameter < node.first_parameter + node.layer->parameters.size()) return node;
  throw std::out_of_range("no such parameter");
}

template <class T>
bool Network<T>::parameters_finite() const {
  for (const Node<T>& node : nodes)
    for (const Parameter<T>& parameter : node.layer->parameters)
      if (kernels.reduce.count_nonfinite(parameter.values.size(), parameter.values.data()) > 0) return false;
  return true;
}

template <class T>
std::vector<Layer<T>*> Network<T>::layers_at(const std::string& path) const {
  std::vector<Layer<T>*> found;
  for (const Node<T>& node : nodes)
    if (node.path == path || node.path.starts_with(path + ".")) found.push_back(node.layer.get());
  return found;
}

template class Network<float>;
template class Network<double>;

}  // namespace nnext::nn
