#include "train/training.h"

#include <algorithm>
#include <utility>

#include "core/errors.h"
#include "optim/registry.h"

namespace nnext::train {

namespace {

template <class T>
LossRule<T> make_loss(const nn::Section<T>& section, const Config* config) {
  const Size nodes = section.nodes().size();
  if (config == nullptr) return {{}, nodes};
  return {ops::make_loss(section.network().kernels, *config), config->flag("with_last_layer") ? nodes - 1 : nodes};
}

template <class T>
std::vector<std::vector<Buffer<T>>> start_state(const nn::Section<T>& section, const optim::Optimizer<T>& optimizer) {
  std::vector<std::vector<Buffer<T>>> all(section.parameters());
  section.for_parameters([&](const nn::Node<T>&, const nn::Parameter<T>& parameter, Size index) {
    if (parameter.role == nn::Role::buffer) return;
    for (const optim::State& state : optimizer.states()) {
      Buffer<T>& numbers = all[index].emplace_back(parameter.stored);  // of zeros that take no time yet
      if (state.start != 0) std::fill(numbers.begin(), numbers.end(), static_cast<T>(state.start));
    }
  });
  return all;
}

}  // namespace

template <class T>
typename Training<T>::Compiled Training<T>::prepare(const Config* loss_, const Config& optimizer_,
                                                    const StepSettings& settings_) const {
  Compiled compiled{make_loss(section, loss_), settings_, optim::make_optimizer<T>(optimizer_), {}};
  if (settings_.clip_value > 0) compiled.optimizer->limit_gradient(settings_.clip_value);
  if (const Size given = settings_.lr_scale.size(); given > 0 && given != section.parameters())
    core::fail_value("[compile] lr_scale has ", given, " factors for ", section.parameters(), " parameters");
  compiled.state = start_state(section, *compiled.optimizer);
  return compiled;
}

template <class T>
void Training<T>::put(Compiled compiled) {
  loss = std::move(compiled.loss);
  settings = compiled.settings;
  optimizer = std::move(compiled.optimizer);
  optimizer_state = std::move(compiled.state);
  position = {};
  bf16 = compiled.bf16;
  trial = std::move(compiled.trial);
  averages = std::move(compiled.averages);
  if (averages != nullptr) averages->settle();
  regroup(std::vector<optim::Progress>(section.parameters()));
}

template <class T>
void Training<T>::regroup(const std::vector<optim::Progress>& progress) {
  std::vector<Group<T>> made;
  std::vector<Size> places;
  section.for_parameters([&](const nn::Node<T>& node, const nn::Parameter<T>&, Size index) {
    const bool trainable = node.layer->trainable;
    const double lr_scale = settings.lr_scale.empty() ? 1 : settings.lr_scale[index];
    const auto same = [&](const Group<T>& group) {
      return group.trainable == trainable && group.lr_scale == lr_scale && group.progress == progress[index];
    };
    const auto found = std::find_if(made.begin(), made.end(), same);
    places.push_back(static_cast<Size>(found - made.begin()));
    if (found != made.end()) return;
    made.push_back({progress[index], trainable, lr_scale, optimizer == nullptr ? nullptr : optimizer->clone()});
    if (optimizer != nullptr) made.back().rule->scale_lr(lr_scale);
  });
  groups = std::move(made);
  group_of = std::move(places);
}

template <class T>
std::vector<optim::Progress> Training<T>::progress() const {
  std::vector<optim::Progress> all;
  for (const Size group : group_of) all.push_back(groups[group].progress);
  return all;
}

template <class T>
optim::Update<T> Training<T>::update(const nn::Node<T>& node, const nn::Piece& piece, T* gradient) {
  nn::Parameter<T>& parameter = node.layer->parameters[piece.parameter];
  optim::Update<T> update{piece.count, parameter.values.data() + piece.offset, gradient, {}};
  auto& states = optimizer_state[section.index(node, piece.parameter)];
  for (Size i = 0; i < states.size(); ++i) update.state[i] = states[i].data() + piece.offset;
  return update;
}

template <class T>
void Training<T>::apply(const nn::Node<T>& node, const nn::Piece& piece, T* gradient) {
  nn::Layer<T>& layer = *node.layer;
  if (layer.parameters[piece.parameter].role == nn::Role::buffer) {
    layer.update_buffer(piece, gradient);
  } else {
    const Group<T>& group = groups[group_of[section.index(node, piece.parameter)]];
    group.rule->apply(network.kernels.update, update(node, piece, gradient));
    if (layer.packed != nn::Packed::none) layer.updated(piece);
  }
  if (averages != nullptr) averages->follow(node, piece);
}

template <class T>
StateCopy<T>::StateCopy(const Training<T>& training)
    : optimizer_state(training.optimizer_state),
      progress(training.progress()),
      counters(training.counters),
      position(training.position) {
  training.section.for_parameters(
      [&](const nn::Node<T>&, const nn::Parameter<T>& parameter, Size) { parameters.push_back(parameter.values); });
  if (training.averages != nullptr) averages = training.averages->copy();
}

namespace {

template <class T>
void copy(const Buffer<T>& from, Buffer<T>& to) {
  std::copy(from.begin(), from.end(), to.begin());
}

template <class T>
void copy(const std::vector<std::vector<Buffer<T>>>& from, std::vector<std::vector<Buffer<T>>>& to) {
  for (Size p = 0; p < from.size(); ++p)
    for (Size s = 0; s < from[p].size(); ++s) copy(from[p][s], to[p][s]);
}

}  // namespace

template <class T>
void StateCopy<T>::take(const Training<T>& training) {
  progress = training.progress();
  counters = training.counters, position = training.position;
  if (training.averages != nullptr) averages = training.averages->copy();
  training.section.for_parameters([&](const nn::Node<T>&, const nn::Parameter<T>& parameter, Size index) {
    copy(parameter.values, parameters[index]);
  });
  copy(training.optimizer_state, optimizer_state);
}

template <class T>
void StateCopy<T>::put_back(Training<T>& training) const {
  training.section.for_parameters(
      [&](const nn::Node<T>&, nn::Parameter<T>& parameter, Size index) { copy(parameters[index], parameter.values); });
  copy(optimizer_state, training.optimizer_state);
  for (Size i = 0; i < averages.size(); ++i)
    std::copy(averages[i].begin(), averages[i].end(), training.averages->values(i));
  if (training.averages != nullptr) training.averages->be_set(!averages.empty());
  training.counters = counters;
  training.position = position;
  training.regroup(progress);
  for (nn::Node<T>& node : training.section.nodes())  // last, since this allocates
    node.layer->pack(std::exchange(node.layer->packed, nn::Packed::none));
}

template struct Training<float>;
template struct Training<double>;
template struct StateCopy<float>;
template struct StateCopy<double>;

}  // namespace nnext::train
