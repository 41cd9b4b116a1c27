#include "train/snapshots.h"

namespace nnext::train {

template <class T>
void Snapshots<T>::take(const State<T>& state) {
  std::swap(newest_, older_);
  newest_.reset();  // its memory first: at most two copies at any time
  newest_.emplace(state);
}

template <class T>
void Snapshots<T>::put_back(const StateCopy<T>& copy, State<T>& state) {
  Size i = 0;
  for (const auto& layer : state.network.layers)
    for (nn::Parameter<T>& parameter : layer->parameters)
      std::copy_n(copy.parameters[i++].data(), parameter.values.size(), parameter.values.data());
  for (Size p = 0; p < state.optimizer_state.size(); ++p)
    for (Size s = 0; s < state.optimizer_state[p].size(); ++s)
      std::copy_n(copy.optimizer_state[p][s].data(), copy.optimizer_state[p][s].size(),
                  state.optimizer_state[p][s].data());
  state.counters = copy.counters;
  for (const auto& layer : state.network.layers)  // last, since this allocates
    layer->refresh(std::exchange(layer->fresh, nn::Derived::none));
}

template <class T>
std::optional<Size> Snapshots<T>::restore(State<T>& state) const {
  const Counters now = state.counters;
  const StateCopy<T>* copy = newest_ && newest_->counters.step < now.step ? &*newest_ : older_ ? &*older_ : nullptr;
  if (copy == nullptr || copy->counters.step >= now.step) return std::nullopt;
  put_back(*copy, state);
  return now.step - 1 - copy->counters.step;
}

template <class T>
void Snapshots<T>::restore_finite(State<T>& state) const {
  for (const std::optional<StateCopy<T>>* copy : {&newest_, &older_}) {
    if (!*copy) return;
    put_back(**copy, state);
    if (state.parameters_finite()) return;
  }
}

template class Snapshots<float>;
template class Snapshots<double>;

}  // namespace nnext::train
