// An exponential moving average of the parameters: the values of a network of its own, which predicts in place of the
// one that is trained.
#pragma once

#include <optional>
#include <vector>

#include "train/row_predictor.h"
#include "train/twin.h"

namespace nnext::train {

using core::Buffer;

template <class T>
class Averages {
 public:
  // Of a network that `layers` describe.
  Averages(const nn::Section<T>& trained, const std::vector<core::Config>& layers, double decay);

  // There are averages from the first step on, after which they are copies of the parameters.
  bool begun() const { return begun_; }
  void begin() { begun_ = true; }
  const nn::Section<T>& section() const { return averaged_.section(); }
  const RowPredictor<T>& row_predictor() const { return *row_; }  // where it is known its features

  // A piece has changed with a step; the piece's owner says so.
  void follow(const nn::Node<T>& node, const nn::Piece& piece);
  // Before there are averages, all is as in training; unfinished where the host asks to stop.
  void begin_with(runtime::Cancel& cancel);
  // What is not averaged is as in training: buffers, layers that are frozen, and everything before the first step.
  void settle();
  // Others have changed what they train: averages of that begin again from there.
  void restart(const nn::Section<T>& changed);

  // The averages, stored like the parameters and empty for buffers; none before the first step.
  std::vector<Buffer<T>> copy() const;
  // When the network's own values are set, those of the averages may be, too, if there are some; then be_set() follows.
  T* values(Size parameter) { return averaged_.values(parameter); }
  void be_set(bool begun) {
    begun_ = begun;
    settle();
  }

 private:
  bool averages(const nn::Node<T>& node, const nn::Parameter<T>& parameter) const {
    return begun_ && node.layer->trainable && parameter.role == nn::Role::parameter;
  }

  const nn::Section<T>& trained_;
  Twin<T> averaged_;
  T decay_;
  std::optional<RowPredictor<T>> row_;
  bool begun_ = false;
};

}  // namespace nnext::train
