// A trainer's parameters and the state of its training, in and out.
#include "train/trainer.h"

namespace nnext::train {
namespace {

[[noreturn]] void fail_compiled_anew() {
  throw std::runtime_error("[load] the model was compiled anew meanwhile; load again");
}

}  // namespace

template <class T>
void Trainer<T>::put(const GivenNumbers<T>& given, T* to) {
  const nn::Node<T>& node = section_.owner(given.parameter);
  node.layer->from_logical(given.parameter - section_.index(node, 0), given.logical, to, nullptr);
}

template <class T>
void Trainer<T>::put(const std::vector<GivenNumbers<T>>& parameters, const std::vector<GivenNumbers<T>>& averages) {
  for (const GivenNumbers<T>& numbers : parameters) {
    put(numbers, section_.parameter(numbers.parameter).values.data());
    section_.owner(numbers.parameter).layer->packed = nn::Packed::none;
  }
  for (const GivenNumbers<T>& numbers : averages) put(numbers, training_.averages->values(numbers.parameter));
  if (training_.averages != nullptr) training_.averages->be_set(!averages.empty());
  for_others([&](Trainer& other) { other.be_told_of_numbers(section_); });
}

template <class T>
void Trainer<T>::set_parameters(const std::vector<GivenNumbers<T>>& given, const std::vector<GivenNumbers<T>>& averages,
                                runtime::Cancel& cancel) {
  change("load_state_dict", cancel, [&] {
    require_places(given, averages);
    return [this, &given, &averages]() noexcept { put(given, averages); };
  });
}

// Whatever was compiled when the host put them together. Throws where there is no such parameter.
template <class T>
void Trainer<T>::require_places(const std::vector<GivenNumbers<T>>& parameters,
                                const std::vector<GivenNumbers<T>>& averages) const {
  for (const auto* all : {&parameters, &averages})
    for (const GivenNumbers<T>& numbers : *all) section_.owner(numbers.parameter);
  if (!averages.empty() && training_.averages == nullptr) fail_compiled_anew();
}

template <class T>
void Trainer<T>::set_state(const GivenState<T>& state, runtime::Cancel& cancel) {
  change("load", cancel, [&] {
    require_places(state.parameters, state.averages);
    if (state.optimizer.size() != (training_.optimizer == nullptr ? 0 : training_.optimizer->states().size()))
      fail_compiled_anew();
    return [this, &state, grouping = training_.grouping(state.progress)]() mutable noexcept {
      put(state.parameters, state.averages);
      for (Size s = 0; s < state.optimizer.size(); ++s)
        for (const GivenNumbers<T>& numbers : state.optimizer[s])
          put(numbers, training_.optimizer_state[numbers.parameter][s].data());
      training_.put(std::move(grouping));
      training_.counters = state.counters, training_.position = state.position;
    };
  });
}

template <class T>
StateCopy<T> Trainer<T>::copy_state() const {
  std::optional<StateCopy<T>> copy;
  look([&](const Training<T>& training) { copy.emplace(training); });
  return std::move(*copy);
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
