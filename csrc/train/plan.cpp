#include "train/plan.h"

namespace nnext::train {

template <class T>
Plan<T>::Plan(const nn::Network<T>& network, Size in_features, Size batch, Size head, Use use) : batch_(batch) {
  const bool training = use == Use::train;
  Slot at = add_slot(in_features);
  Size scratch = 0;
  bool keep = true;  // the slot's values are read again: the caller's input, or what a layer needs to go backward
  for (Size i = 0; i < network.layers.size(); ++i) {
    if (i == head) head_ = at, head_stages_ = stages_.size(), keep = true;
    nn::Layer<T>& layer = *network.layers[i];
    const Size features = layer.out_features(slots_[at].features);
    if (layer.passes_through(training)) continue;
    const bool in_place = layer.in_place() && !keep && features == slots_[at].features;
    const Slot to = in_place ? at : add_slot(features);
    const Size bytes = training && layer.trainable ? layer.scratch_bytes(batch_) : 0;
    stages_.push_back({&layer, at, to, scratch, bytes});
    scratch += core::round_up(bytes, core::kCacheLine);
    flops_per_row_ += 8.0 * static_cast<double>(features);  // a few for every output, whatever the layer
    for (const nn::Parameter<T>& parameter : layer.parameters)
      flops_per_row_ += 2.0 * static_cast<double>(parameter.values.size());
    keep = training && layer.needs_output();
    at = to;
  }
  output_ = at;
  if (head >= network.layers.size()) head_ = at, head_stages_ = stages_.size();
  scratch_ = core::Buffer<std::byte>(scratch);
  arena_ = core::Buffer<T>(core::checked_product(values_, training ? 2 : 1));
}

template <class T>
Slot Plan<T>::add_slot(Size features) {
  slots_.push_back({features, values_});
  constexpr Size kLine = core::kCacheLine / sizeof(T);
  values_ += core::round_up(core::checked_product(batch_, features), kLine);
  return slots_.size() - 1;
}

template <class T>
Matrix<T> Plan<T>::value(Slot slot, Size first, Size count) {
  const Extent& at = slots_[slot];
  return {arena_.data() + at.offset + first * at.features, count, at.features};
}

template <class T>
Matrix<T> Plan<T>::gradient(Slot slot, Size first, Size count) {
  Matrix<T> values = value(slot, first, count);
  values.data += values_;
  return values;
}

template class Plan<float>;
template class Plan<double>;

}  // namespace nnext::train
