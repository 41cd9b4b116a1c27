#include "train/averages.h"

#include <algorithm>

namespace nnext::train {

template <class T>
Averages<T>::Averages(const nn::Section<T>& trained, const std::vector<core::Config>& layers, double decay)
    : trained_(trained),
      averaged_(trained.network().seed, layers, trained.numbering(), trained.network().kernels),
      section_(averaged_, trained.told_shape()),
      decay_(static_cast<T>(decay)) {
  averaged_.allocate();
  section_.for_parameters(
      [&](const nn::Node<T>&, nn::Parameter<T>& parameter, Size) { values_.push_back(parameter.values.data()); });
  if (section_.input()) row_.emplace(section_, *section_.input());
}

template <class T>
void Averages<T>::follow(const nn::Node<T>& node, const nn::Piece& piece) {
  const nn::Parameter<T>& parameter = node.layer->parameters[piece.parameter];
  const T* const from = parameter.values.data() + piece.offset;
  T* const to = values_[trained_.index(node, piece.parameter)] + piece.offset;
  if (averages(node, parameter))
    trained_.network().kernels.elementwise.lerp(piece.count, decay_, from, to);
  else
    std::copy_n(from, piece.count, to);
}

template <class T>
void Averages<T>::settle() {
  trained_.for_parameters([&](const nn::Node<T>& node, const nn::Parameter<T>& parameter, Size index) {
    if (!averages(node, parameter)) std::copy_n(parameter.values.data(), parameter.stored, values_[index]);
  });
}

template <class T>
void Averages<T>::restart(const nn::Section<T>& changed) {
  trained_.for_parameters([&](const nn::Node<T>& node, const nn::Parameter<T>& parameter, Size index) {
    if (changed.has(node)) std::copy_n(parameter.values.data(), parameter.stored, values_[index]);
  });
}

template <class T>
std::vector<Buffer<T>> Averages<T>::copy() const {
  std::vector<Buffer<T>> all;
  if (!begun_) return all;
  section_.for_parameters([&](const nn::Node<T>&, const nn::Parameter<T>& parameter, Size) {
    all.push_back(parameter.role == nn::Role::parameter ? parameter.values : Buffer<T>());
  });
  return all;
}

template <class T>
void Averages<T>::put(const std::vector<Buffer<T>>& averages) {
  begun_ = !averages.empty();
  for (Size i = 0; i < averages.size(); ++i) std::copy(averages[i].begin(), averages[i].end(), values_[i]);
  settle();
}

template class Averages<float>;
template class Averages<double>;

}  // namespace nnext::train
