#include "nn/network.h"

#include <algorithm>
#include <stdexcept>

#include "core/errors.h"
#include "nn/registry.h"

namespace nnext::nn {

template <class T>
Network<T>::Network(std::uint64_t seed_, const std::vector<core::Config>& layers, std::span<const Size> input_shape,
                    const kernels::KernelTable<T>& kernels_)
    : seed(seed_), kernels(kernels_), told_shape(input_shape.begin(), input_shape.end()) {
  Builder<T>(*this).add_layers(layers, "");
  for (Node<T>& node : nodes) {
    node.first_parameter = parameters;
    parameters += node.layer->parameters.size();
    find_intake(*node.layer);
  }
  find_input(input_shape);
}

// Of the first that wants something; after a Flatten the next one says how many features there are.
template <class T>
void Network<T>::find_intake(const Layer<T>& layer) {
  channels_kept_ &= layer.keeps_channels();
  std::optional<Intake> wanted = layer.intake();
  if (!wanted) return;
  if (!channels_kept_) wanted->channels = 0;
  if (!intake_)
    intake_ = wanted;
  else if (intake_->flat && intake_->channels == 0)
    intake_->channels = wanted->channels;
}

// Or the layers do not fit together. Features of any number stand for samples that are not known; where layers do not
// take these, but may take sequences, the first samples tell.
template <class T>
void Network<T>::find_input(std::span<const Size> input_shape) {
  const Intake wanted = intake_.value_or(Intake{});
  const bool may_have_places = wanted.axes != 0 && std::any_of(nodes.begin(), nodes.end(), [](const Node<T>& node) {
                                 return node.layer->joins_places();
                               });
  if (!input_shape.empty()) {
    input_ = read(input_shape);
    if (!input_)
      core::fail_value("[network] input_shape has ", input_shape.size(), " axes but the first layer takes ",
                       wanted.axes + 1, wanted.channels_first ? ", channels first" : "", "; give as many");
  } else if (wanted.channels > 0 && wanted.axes <= 0) {
    input_ = Shape(wanted.channels);
  }
  takes_only_input_ = input_ && (!input_shape.empty() || (wanted.axes == 0 && !wanted.flat));
  if (!input_ && wanted.axes > 0) return;
  try {
    output_ = shapes(input_.value_or(1))[output];
  } catch (const std::invalid_argument&) {
    if (takes_only_input_ || (!may_have_places && channels_kept_)) throw;
    input_.reset();
  }
}

template <class T>
std::optional<Shape> Network<T>::read(std::span<const Size> extents) const {
  const Intake wanted = intake_.value_or(Intake{});
  if (extents.empty() || extents.size() > Shape::kMaxAxes + 1) return {};
  const auto axes = static_cast<int>(extents.size()) - 1;
  if (wanted.flat) return Shape(extents.first(extents.size() - 1), extents.back(), false);
  if (!wanted.channels_first) {
    if (wanted.axes >= 0 && axes != wanted.axes) return {};
    if (axes == 2) return Shape(extents.subspan(1), extents.front(), true);  // three axes are those of an image
    return Shape(extents.first(extents.size() - 1), extents.back(), false);
  }
  if (axes == wanted.axes) return Shape(extents.subspan(1), extents.front(), true);
  if (axes + 1 == wanted.axes) return Shape(extents, 1, true);  // images without channels have one
  return {};
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
std::vector<Shape> Network<T>::shapes(const Shape& in) const {
  std::vector<Shape> all(values, in), given;
  for (const Node<T>& node : nodes) {
    given.clear();
    for (const Value input : node.inputs) given.push_back(all[input]);
    try {
      for (const Value value : node.outputs) all[value] = node.layer->out_shape(given);
    } catch (const std::invalid_argument& error) {
      core::fail_value("layer ", node.path, ": ", error.what());
    }
  }
  return all;
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
