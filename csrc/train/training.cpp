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
  LossRule<T> rule;
  rule.head = nodes;
  if (config == nullptr) return rule;
  static_cast<ops::Loss<T>&>(rule) = ops::make_loss(section.network().kernels, *config);
  if (config->flag("with_last_layer")) --rule.head;
  return rule;
}

constexpr Size kLook = Size{1} << 20;  // numbers between two looks at the host: 1 ms, or a few for fresh pages

// Zeros are there already, in pages that nobody has touched.
template <class T>
void start(Buffer<T>& numbers, double value, runtime::Cancel& cancel) {
  if (value == 0) return;
  for (Size first = 0; first < numbers.size() && !cancel.poll(); first += kLook)
    std::fill_n(numbers.data() + first, std::min(kLook, numbers.size() - first), static_cast<T>(value));
}

template <class T>
std::vector<std::vector<Buffer<T>>> start_state(const nn::Section<T>& section, const optim::Optimizer<T>& optimizer,
                                                runtime::Cancel& cancel) {
  std::vector<std::vector<Buffer<T>>> all(section.parameters());
  section.for_parameters([&](const nn::Node<T>&, const nn::Parameter<T>& parameter, Size index) {
    if (parameter.role == nn::Role::buffer) return;
    for (const optim::State& state : optimizer.states())
      start(all[index].emplace_back(parameter.stored), state.start, cancel);
  });
  return all;
}

}  // namespace

template <class T>
typename Training<T>::Compiled Training<T>::prepare(const Config* loss_, const Config& optimizer_,
                                                    const StepSettings& settings_, runtime::Cancel& cancel) const {
  Compiled compiled;
  compiled.loss = make_loss(section, loss_);
  compiled.settings = settings_;
  compiled.optimizer = optim::make_optimizer<T>(optimizer_);
  if (settings_.clip_value > 0) compiled.optimizer->limit_gradient(settings_.clip_value);
  if (const Size given = settings_.lr_scale.size(); given > 0 && given != section.parameters())
    core::fail_value("[compile] lr_scale has ", given, " factors for ", section.parameters(), " parameters");
  compiled.state = start_state(section, *compiled.optimizer, cancel);
  return compiled;
}

template <class T>
void Training<T>::group(Compiled& compiled) const {
  compiled.grouping = grouping(std::vector<optim::Progress>(section.parameters()), compiled.settings,
                               compiled.optimizer.get(), Freezing<T>());
}

template <class T>
void Training<T>::put(Compiled&& compiled) noexcept {
  loss = std::move(compiled.loss);
  settings = std::move(compiled.settings);
  optimizer = std::move(compiled.optimizer);
  optimizer_state = std::move(compiled.state);
  position = {};
  bf16 = compiled.bf16;
  trial = std::move(compiled.trial);
  averages = std::move(compiled.averages);
  put(std::move(compiled.grouping));
  compilation.store(compiled.number);
}

template <class T>
Grouping<T> Training<T>::grouping(const std::vector<optim::Progress>& progress, const StepSettings& by,
                                  const optim::Optimizer<T>* rule, const Freezing<T>& freezing) const {
  Grouping<T> made;
  section.for_parameters([&](const nn::Node<T>& node, const nn::Parameter<T>&, Size index) {
    const bool trainable = freezing.trains(*node.layer);
    const double lr_scale = by.lr_scale.empty() ? 1 : by.lr_scale[index];
    const auto same = [&](const Group<T>& group) {
      return group.trainable == trainable && group.lr_scale == lr_scale && group.progress == progress[index];
    };
    const auto found = std::find_if(made.groups.begin(), made.groups.end(), same);
    made.group_of.push_back(static_cast<Size>(found - made.groups.begin()));
    if (found != made.groups.end()) return;
    Group<T>& group = made.groups.emplace_back();
    group.progress = progress[index], group.trainable = trainable, group.lr_scale = lr_scale;
    if (rule == nullptr) return;
    group.rule = rule->clone();
    group.rule->scale_lr(lr_scale);
  });
  return made;
}

template <class T>
std::vector<optim::Progress> Training<T>::progress() const {
  std::vector<optim::Progress> all;
  for (const Size group : group_of) all.push_back(groups[group].progress);
  return all;
}

// Parameters of one group have come equally far, here as there.
template <class T>
void Training<T>::put_back(const std::vector<optim::Progress>& progress) noexcept {
  for (Size i = 0; i < group_of.size(); ++i) groups[group_of[i]].progress = progress[i];
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
  if (node.layer->parameters[piece.parameter].role == nn::Role::buffer) {
    node.layer->update_buffer(piece, gradient);
    if (averages != nullptr) averages->follow(node, piece);
    return;
  }
  rule(node, piece).apply(network.kernels.update, update(node, piece, gradient));
  finish(node, piece);
}

template <class T>
kernels::InPlace<T> Training<T>::in_place(const nn::Node<T>& node, const nn::Piece& piece) const {
  return {rule(node, piece).plain_step(), node.layer->parameters[piece.parameter].values.data() + piece.offset};
}

template <class T>
StateCopy<T>::StateCopy(const Training<T>& training)
    : optimizer_state(training.optimizer_state),
      progress(training.progress()),
      counters(training.counters),
      position(training.position),
      carried(training.carried.numbers) {
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
  if (carried.size() != training.carried.numbers.size()) carried = core::Buffer<T>(training.carried.numbers.size());
  copy(training.carried.numbers, carried);
}

template <class T>
void StateCopy<T>::put_back(Training<T>& training) const {
  training.section.for_parameters(
      [&](const nn::Node<T>&, nn::Parameter<T>& parameter, Size index) { copy(parameters[index], parameter.values); });
  copy(optimizer_state, training.optimizer_state);
  if (carried.size() == training.carried.numbers.size()) copy(carried, training.carried.numbers);
  for (Size i = 0; i < averages.size(); ++i)
    std::copy(averages[i].begin(), averages[i].end(), training.averages->values(i));
  if (training.averages != nullptr) training.averages->be_set(!averages.empty());
  training.counters = counters;
  training.position = position;
  training.put_back(progress);
  for (nn::Node<T>& node : training.section.nodes())  // last, since this allocates
    node.layer->pack(std::exchange(node.layer->packed, nn::Packed::none));
}

template struct Training<float>;
template struct Training<double>;
template struct StateCopy<float>;
template struct StateCopy<double>;

}  // namespace nnext::train
