// A trainer's parameters and the state of its training, in and out.
#include "train/trainer.h"

namespace nnext::train {

template <class T>
void Trainer<T>::put(const GivenNumbers<T>& given, core::Buffer<T>& to) {
  const nn::Node<T>& node = section_.owner(given.parameter);
  node.layer->from_logical(given.parameter - section_.index(node, 0), given.logical, to.data());
}

// Averages as they are kept.
template <class T>
typename Trainer<T>::Stored Trainer<T>::stored(const std::vector<GivenNumbers<T>>& averages) {
  Stored all(averages.empty() ? 0 : section_.parameters());
  for (const GivenNumbers<T>& numbers : averages) {
    core::Buffer<T>& to = all.at(numbers.parameter);
    to = core::Buffer<T>(section_.parameter(numbers.parameter).stored);
    put(numbers, to);
  }
  return all;
}

template <class T>
void Trainer<T>::put(const std::vector<GivenNumbers<T>>& parameters, const Stored& averages) {
  for (const GivenNumbers<T>& numbers : parameters) {
    put(numbers, section_.parameter(numbers.parameter).values);
    section_.owner(numbers.parameter).layer->packed = nn::Packed::none;
  }
  if (training_.averages != nullptr) training_.averages->put(averages);
  for_others([&](Trainer& other) { other.be_told_of_numbers(section_); });
}

template <class T>
void Trainer<T>::set_parameters(const std::vector<GivenNumbers<T>>& given, const std::vector<GivenNumbers<T>>& averages,
                                runtime::Cancel& cancel) {
  change("load_state_dict", cancel, [&] {
    for (const GivenNumbers<T>& numbers : given) section_.owner(numbers.parameter);  // throws where there is none
    return [this, &given, stored = stored(averages)]() noexcept { put(given, stored); };
  });
}

// Whatever was compiled when the host put it together.
template <class T>
void Trainer<T>::require_places(const GivenState<T>& state) const {
  const Size states = training_.optimizer == nullptr ? 0 : training_.optimizer->states().size();
  if (state.optimizer.size() != states || (!state.averages.empty() && training_.averages == nullptr))
    throw std::runtime_error("[load] the model was compiled anew meanwhile; load again");
}

template <class T>
void Trainer<T>::set_state(const GivenState<T>& state, runtime::Cancel& cancel) {
  change("load", cancel, [&] {
    require_places(state);
    return [this, &state, stored = stored(state.averages),
            grouping = training_.grouping(state.progress)]() mutable noexcept {
      put(state.parameters, stored);
      for (Size s = 0; s < state.optimizer.size(); ++s)
        for (const GivenNumbers<T>& numbers : state.optimizer[s])
          put(numbers, training_.optimizer_state[numbers.parameter][s]);
      training_.put(std::move(grouping));
      training_.counters = state.counters, training_.position = state.position;
    };
  });
}

template <class T>
StateCopy<T> Trainer<T>::copy_state() const {
  const Gate::Reader reader(network_.gate);
  return StateCopy<T>(training_);
}

template <class T>
typename Trainer<T>::Moment Trainer<T>::copy_moment() const {
  const Gate::Reader reader(network_.gate);
  Moment moment{.state = StateCopy<T>(training_)};
  moment.frozen = frozen_now();
  moment.compilation = compilation();
  return moment;
}

template <class T>
std::pair<Counters, std::uint64_t> Trainer<T>::counters() const {
  const Gate::Reader reader(network_.gate);
  std::uint64_t most = 0;
  for (const Group<T>& group : training_.groups) most = std::max(most, group.progress.steps);
  return {training_.counters, most};
}

template <class T>
void Trainer<T>::set_counters(const Counters& counters, runtime::Cancel& cancel) {
  change("load", cancel, [&] { return [this, &counters]() noexcept { training_.counters = counters; }; });
}

// The members above; the others are instantiated in trainer.cpp and trainer_shared.cpp.
template class Trainer<float>;
template class Trainer<double>;

}  // namespace nnext::train
