#include "train/state.h"

namespace nnext::train {

template <class T>
void State<T>::set_optimizer(std::unique_ptr<optim::Optimizer<T>> new_optimizer) {
  std::vector<std::vector<core::Buffer<T>>> fresh;
  for (const auto& layer : network.layers)
    for (const nn::Parameter<T>& parameter : layer->parameters) {
      auto& states = fresh.emplace_back();
      for (Size i = 0; i < new_optimizer->states(); ++i) {
        states.emplace_back(parameter.values.size());
        std::fill(states.back().begin(), states.back().end(), static_cast<T>(new_optimizer->initial_state()));
      }
    }
  optimizer = std::move(new_optimizer);
  optimizer_state = std::move(fresh);
  counters.optimizer_step = 0;
}

template <class T>
void State<T>::set_loss(const kernels::LossKernel<T>& new_loss, bool fuse_last_layer) {
  loss = &new_loss;
  head = network.layers.size() - (fuse_last_layer ? 1 : 0);
}

template <class T>
Size State<T>::parameter_count() const {
  Size count = 0;
  for (const auto& layer : network.layers) count += layer->parameters.size();
  return count;
}

template <class T>
bool State<T>::parameters_finite() const {
  for (const auto& layer : network.layers)
    for (const nn::Parameter<T>& parameter : layer->parameters)
      if (network.kernels.reduce.count_nonfinite(parameter.values.size(), parameter.values.data()) > 0) return false;
  return true;
}

template <class T>
void State<T>::apply(nn::Layer<T>& layer, Size index, const nn::Piece& piece, const T* gradient) {
  optim::Update<T> update{piece.count, layer.parameters[piece.parameter].values.data() + piece.offset, gradient, {}};
  auto& states = optimizer_state[index];
  for (Size i = 0; i < states.size(); ++i) update.state[i] = states[i].data() + piece.offset;
  optimizer->apply(network.kernels.update, update);
  if (layer.fresh != nn::Derived::none) layer.updated(piece);
}

template <class T>
StateCopy<T>::StateCopy(const State<T>& state) : optimizer_state(state.optimizer_state), counters(state.counters) {
  for (const auto& layer : state.network.layers)
    for (const nn::Parameter<T>& parameter : layer->parameters) parameters.push_back(parameter.values);
}

template struct State<float>;
template struct State<double>;
template struct StateCopy<float>;
template struct StateCopy<double>;

}  // namespace nnext::train
