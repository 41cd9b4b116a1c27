#include "train/tiny.h"

namespace nnext::train {

template <class T>
std::unique_ptr<Tiny<T>> Tiny<T>::of(Training<T>& training, const Plan<T>& plan, const View<T>& view) {
  std::unique_ptr<Tiny> tiny(new Tiny(training));
  for (Size i = 0; i < plan.head_stages(); ++i)
    if (!tiny->add(plan.stages()[i], view.frame(i))) return {};
  return tiny;
}

template <class T>
bool Tiny<T>::add(const Stage<T>& stage, const nn::Frame<T>& frame) {
  if (stage.in.places() > 1) return false;  // a row is one sample there
  kernels::TinyLayer<T> layer{};
  switch (stage.layer().tiny(layer)) {
    case nn::Layer<T>::Tiny::begins:
      layer.y = frame.y.data, layer.dy = frame.dy.data;
      add_layer(stage, layer);
      return true;
    case nn::Layer<T>::Tiny::ends:
      if (frame.x.data != frame.y.data || layers_.empty()) return false;  // it comes first, or after another one
      layers_.back().activation = layer.activation, layers_.back().arguments = layer.arguments;
      return true;
    case nn::Layer<T>::Tiny::no:
      break;
  }
  return false;
}

template <class T>
void Tiny<T>::add_layer(const Stage<T>& stage, kernels::TinyLayer<T> layer) {
  if (!changes_.empty()) layer.transposed = room(layer.out, layer.in);  // a layer below wants its gradient
  T** const gradients[] = {&layer.dweight, &layer.dbias};
  const nn::Node<T>& node = *stage.node;
  for (Size i = 0; i < node.layer->parameters.size() && node.layer->trainable; ++i) {
    *gradients[i] = room(i == 0 ? layer.in : 1, layer.out);
    const nn::Piece whole{.parameter = i, .offset = 0, .count = node.layer->parameters[i].stored};
    changes_.push_back({training_.group_of[training_.section.index(node, i)],
                        training_.update(node, whole, *gradients[i]), &node, whole});
  }
  layers_.push_back(layer);
}

// For rows of whole vectors.
template <class T>
T* Tiny<T>::room(Size rows, Size cols) {
  return rooms_.emplace_back(rows * core::round_up(cols, kernels_.vector_lanes)).data();
}

template class Tiny<float>;
template class Tiny<double>;

}  // namespace nnext::train
