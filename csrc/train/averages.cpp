#include "train/averages.h"

#include <algorithm>

namespace nnext::train {

template <class T>
Averages<T>::Averages(const nn::Section<T>& trained, const std::vector<core::Config>& layers, double decay)
    : trained_(trained), averaged_(trained, layers), decay_(static_cast<T>(decay)) {
  if (section().input()) row_.emplace(section(), *section().input());
}

template <class T>
void Averages<T>::follow(const nn::Node<T>& node, const nn::Piece& piece) {
  const nn::Parameter<T>& parameter = node.layer->parameters[piece.parameter];
  const T* const from = parameter.values.data() + piece.offset;
  T* const to = averaged_.values(trained_.index(node, piece.parameter)) + piece.offset;
  if (averages(node, parameter))
    trained_.network().kernels.elementwise.lerp(piece.count, decay_, from, to);
  else
    std::copy_n(from, piece.count, to);
}

template <class T>
void Averages<T>::begin_with(runtime::Cancel& cancel) {
  for (Size index = 0; index < trained_.parameters(); ++index) averaged_.take(index, cancel);
}

template <class T>
void Averages<T>::settle() {
  trained_.for_parameters([&](const nn::Node<T>& node, const nn::Parameter<T>& parameter, Size index) {
    if (!averages(node, parameter)) averaged_.take(index);
  });
}

template <class T>
void Averages<T>::restart(const nn::Section<T>& changed) {
  trained_.for_parameters([&](const nn::Node<T>& node, const nn::Parameter<T>&, Size index) {
    if (changed.has(node)) averaged_.take(index);
  });
}

template <class T>
std::vector<Buffer<T>> Averages<T>::copy() const {
  std::vector<Buffer<T>> all;
  if (!begun_) return all;
  section().for_parameters([&](const nn::Node<T>&, const nn::Parameter<T>& parameter, Size) {
    all.push_back(parameter.role == nn::Role::parameter ? parameter.values : Buffer<T>());
  });
  return all;
}

template class Averages<float>;
template class Averages<double>;

}  // namespace nnext::train
