#include "train/clip.h"

#include <algorithm>
#include <cmath>

namespace nnext::train {

template <class T>
NormClip<T>::NormClip(const nn::Section<T>& section, double limit)
    : kernels_(section.network().kernels), limit_(limit) {
  Size all = 0;
  for (const nn::Node<T>& node : section.nodes())
    for (Size i = 0; i < node.layer->parameters.size(); ++i) {
      if (!node.layer->trainable || node.layer->parameters[i].role == nn::Role::buffer) continue;
      columns_.push_back({&node, i, all, node.layer->columns(i)});
      all += columns_.back().count;
    }
  squares_.resize(all);
}

template <class T>
void NormClip<T>::norms(const runtime::Member& me, const Gradients<T>& gradients) {
  const Range mine = me.share(squares_.size());
  for (const Columns& at : columns_) {
    const Size begin = std::max(mine.begin, at.first), end = std::min(mine.end, at.first + at.count);
    if (begin >= end || me.stop()) continue;
    at.node->layer->column_squares(kernels_, at.parameter, gradients.of(*at.node, at.parameter),
                                   {begin - at.first, end - at.first}, squares_.data() + at.first);
  }
}

template <class T>
T NormClip<T>::factor() const {
  double sum = 0;
  for (const double square : squares_) sum += square;
  return static_cast<T>(std::min(1.0, limit_ / (std::sqrt(sum) + 1e-6)));
}

template <class T>
void apply_gradients(Training<T>& training, const Plan<T>& plan, const Shares& shares, const runtime::Member& me,
                     Gradients<T>& gradients, T factor) {
  for_own_tasks(me, shares, [&](const Task& task) {
    const nn::Node<T>& node = *plan.stages()[task.stage].node;
    for (const nn::Piece& piece : task.pieces) {
      T* const gradient = gradients.at(node, piece);
      const bool is_parameter = node.layer->parameters[piece.parameter].role == nn::Role::parameter;
      if (factor != 1 && is_parameter)
        training.network.kernels.elementwise.scale(piece.count, factor, gradient, gradient);
      training.apply(node, piece, gradient);
    }
  });
}

template class NormClip<float>;
template class NormClip<double>;
template void apply_gradients(Training<float>&, const Plan<float>&, const Shares&, const runtime::Member&,
                              Gradients<float>&, float);
template void apply_gradients(Training<double>&, const Plan<double>&, const Shares&, const runtime::Member&,
                              Gradients<double>&, double);

}  // namespace nnext::train
