#include "nn/section.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "core/errors.h"

namespace nnext::nn {

template <class T>
Section<T>::Section(Network<T>& network, std::span<const Size> told_shape)
    : Section(network, 0, network.begins.size(), {told_shape.begin(), told_shape.end()}) {}

// What samples of all layers become on the way is what those of some are told to be.
template <class T>
Section<T>::Section(const Section& of, Size first, Size last)
    : Section(of.network_, of.first_layer_ + first, of.first_layer_ + last, first == 0 ? of.told_shape_ : Sizes{},
              of.told_before(first)) {}

template <class T>
Section<T>::Section(Network<T>& network, const Section& like)
    : Section(network, 0, network.begins.size(), like.told_shape_, like.known_) {}

template <class T>
Section<T>::Section(Network<T>& network, Size first, Size last, Sizes told_shape, const std::optional<Shape>& told)
    : network_(network),
      first_layer_(first),
      numbering_(network.numbering),
      told_shape_(std::move(told_shape)),
      known_(told) {
  const auto begin = [&](Size layer) {
    return layer < network.begins.size() ? network.begins[layer].node : network.nodes.size();
  };
  nodes_ = std::span(network.nodes).subspan(begin(first), begin(last) - begin(first));
  if (!nodes_.empty()) {
    numbering_ = {numbering_.layers + first, network.begins[first].inner};
    input_value_ = nodes_.front().inputs.front(), output_value_ = nodes_.back().outputs.front();
    first_parameter_ = nodes_.front().first_parameter;
  }
  for (const Node<T>& node : nodes_) {
    parameters_ += node.layer->parameters.size();
    find_intake(*node.layer);
  }
  if (known_) told_shape_ = known_->extents();
  find_input();
}

template <class T>
std::optional<Shape> Section<T>::told_before(Size layer) const {
  if (layer == 0 || told_shape_.empty()) return known_;
  const Size begin = network_.begins[first_layer_ + layer].node;
  return shapes(*input_)[network_.nodes[begin].inputs.front()];
}

// Of the first that wants something; after a Flatten the next one says how many features there are.
template <class T>
void Section<T>::find_intake(const Layer<T>& layer) {
  channels_kept_ &= layer.keeps_channels();
  std::optional<Intake> wanted = layer.intake();
  if (!intake_ && !wanted) channels_matter_ |= !layer.element_wise();
  if (!wanted) return;
  if (!channels_kept_) wanted->channels = 0;
  if (!intake_)
    intake_ = wanted;
  else if (intake_->flat && intake_->channels == 0)
    intake_->channels = wanted->channels;
}

namespace {

Shape sequence(std::span<const Size> extents) { return {extents.first(extents.size() - 1), extents.back(), false}; }

}  // namespace

// Or the layers do not fit together. Features of any number stand for samples that are not known; where layers do not
// take these, but may take sequences, the first samples tell.
template <class T>
void Section<T>::find_input() {
  const Intake wanted = intake_.value_or(Intake{});
  const bool may_have_places = wanted.axes != 0 && std::any_of(nodes_.begin(), nodes_.end(), [](const Node<T>& node) {
                                 return node.layer->joins_places();
                               });
  if (!told_shape_.empty()) {
    if (!known_ && are_steps(told_shape_)) known_ = sequence(told_shape_);
    input_ = known_ ? known_ : read(told_shape_);
    if (!input_)
      core::fail_value("[network] input_shape has ", told_shape_.size(), " axes but the first layer takes ",
                       wanted.axes + 1, wanted.channels_first ? ", channels first" : "", "; give as many");
  } else if (wanted.channels > 0 && wanted.axes <= 0) {
    input_ = Shape(wanted.channels);
  }
  takes_only_input_ = input_ && (!told_shape_.empty() || (wanted.axes == 0 && !wanted.flat));
  if (!input_ && wanted.axes > 0) return;
  try {
    output_ = shapes(input_.value_or(1))[output()];
  } catch (const std::invalid_argument&) {
    if (takes_only_input_ || (!may_have_places && channels_kept_)) throw;
    input_.reset();
    const Size one_step[] = {1, wanted.channels};
    if (wanted.channels > 0 && !wanted.flat && !wanted.channels_first) steps_only_ = fit(sequence(one_step));
  }
}

template <class T>
bool Section<T>::fit(const Shape& in) const {
  try {
    shapes(in);
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

// Whether they fit the layers as those of a sequence, (T, F), and not as those of a signal, which the first layer takes.
template <class T>
bool Section<T>::are_steps(std::span<const Size> extents) const {
  if (!intake_ || !intake_->channels_first || intake_->axes != 1 || extents.size() != 2) return false;
  return !fit(Shape(extents.subspan(1), extents.front(), true)) && fit(sequence(extents));
}

template <class T>
std::optional<Shape> Section<T>::read(std::span<const Size> extents) const {
  const Intake wanted = intake_.value_or(Intake{});
  if (known_ && std::ranges::equal(extents, known_->extents())) return known_;
  if (extents.empty() || extents.size() > Shape::kMaxAxes + 1) return {};
  const auto axes = static_cast<int>(extents.size()) - 1;
  if (wanted.flat && channels_matter_ && axes == 2) return Shape(extents.subspan(1), extents.front(), true);
  if (wanted.flat) return sequence(extents);
  if (!wanted.channels_first) {
    if (wanted.categories > 0 && axes + 1 == wanted.axes) {
      Shape shape(extents, 1, false);
      shape.single = true;
      return shape;
    }
    if (wanted.axes >= 0 && axes != wanted.axes) return {};
    if (axes == 2) return Shape(extents.subspan(1), extents.front(), true);  // three axes are those of an image
    return sequence(extents);
  }
  if (axes == wanted.axes) return Shape(extents.subspan(1), extents.front(), true);
  if (axes + 1 == wanted.axes) return Shape(extents, 1, true);  // images without channels have one
  return {};
}

template <class T>
std::vector<Shape> Section<T>::shapes(const Shape& in) const {
  std::vector<Shape> all(values(), in), given;
  for (const Node<T>& node : nodes_) {
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
const Node<T>& Section<T>::owner(Size parameter) const {
  if (parameter >= parameters_) throw std::out_of_range("no such parameter");
  const auto begins_later = [&](Size value, const Node<T>& node) { return value < index(node, 0); };
  return *std::prev(std::upper_bound(nodes_.begin(), nodes_.end(), parameter, begins_later));
}

template <class T>
bool Section<T>::parameters_finite() const {
  for (const Node<T>& node : nodes_)
    for (const Parameter<T>& parameter : node.layer->parameters)
      if (network_.kernels.reduce.count_nonfinite(parameter.values.size(), parameter.values.data()) > 0) return false;
  return true;
}

template <class T>
std::vector<Layer<T>*> Section<T>::layers_at(const std::string& path) const {
  std::vector<Layer<T>*> found;
  for (const Node<T>& node : nodes_)
    if (node.path == path || node.path.starts_with(path + ".")) found.push_back(node.layer.get());
  return found;
}

template <class T>
std::vector<std::string> Section<T>::frozen() const {
  std::vector<std::string> paths;
  for (const Node<T>& node : nodes_)
    if (!node.layer->trainable && !node.layer->parameters.empty() && (paths.empty() || paths.back() != node.path))
      paths.push_back(node.path);
  return paths;
}

template class Section<float>;
template class Section<double>;

}  // namespace nnext::nn
