#include "train/tiny.h"

#include "nn/activation.h"
#include "nn/linear.h"

namespace nnext::train {

template <class T>
std::unique_ptr<Tiny<T>> Tiny<T>::of(State<T>& state, Plan<T>& plan) {
  std::unique_ptr<Tiny> tiny(new Tiny(state));
  for (Size i = 0; i < plan.head_stages(); ++i)
    if (!tiny->add(plan.stages()[i], plan)) return {};
  return tiny;
}

template <class T>
bool Tiny<T>::add(const Stage<T>& stage, Plan<T>& plan) {
  if (const auto* linear = dynamic_cast<nn::Linear<T>*>(stage.layer); linear != nullptr) {
    if (plan.features(stage.y) > kernels_.max_out || linear->rounds_to_bf16()) return false;
    add_linear(*stage.layer, {.in = plan.features(stage.x),
                              .out = plan.features(stage.y),
                              .y = plan.value(stage.y, 0, 1).data,
                              .dy = plan.gradient(stage.y, 0, 1).data});
    return true;
  }
  const auto* activation = dynamic_cast<nn::Activation<T>*>(stage.layer);
  if (activation == nullptr || activation->kernels().from_x) return false;
  if (stage.x != stage.y) return false;  // it comes first, or after another one
  layers_.back().activation = &activation->kernels();
  layers_.back().argument = activation->argument();
  return true;
}

template <class T>
void Tiny<T>::add_linear(nn::Layer<T>& layer, kernels::TinyLayer<T> tiny) {
  if (!changes_.empty()) tiny.transposed = room(tiny.out, tiny.in);  // a layer below wants its gradient
  const T** values[] = {&tiny.weight, &tiny.bias};
  T** gradients[] = {&tiny.dweight, &tiny.dbias};
  for (Size i = 0; i < layer.parameters.size(); ++i, ++parameters_) {
    const core::Buffer<T>& parameter = layer.parameters[i].values;
    *values[i] = parameter.data();
    if (!layer.trainable) continue;
    *gradients[i] = room(i == 0 ? tiny.in : 1, tiny.out);
    changes_.push_back({&layer, parameters_, {.parameter = i, .offset = 0, .count = parameter.size()}, *gradients[i]});
  }
  layers_.push_back(tiny);
}

// For rows of whole vectors.
template <class T>
T* Tiny<T>::room(Size rows, Size cols) {
  return rooms_.emplace_back(rows * core::round_up(cols, kernels_.vector_lanes)).data();
}

template class Tiny<float>;
template class Tiny<double>;

}  // namespace nnext::train
