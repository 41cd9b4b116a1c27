// Everything that training changes, and what it needs beside the network to go on from where it stands.
#pragma once

#include <memory>
#include <vector>

#include "nn/network.h"
#include "ops/loss.h"
#include "optim/optimizer.h"
#include "train/gate.h"

namespace nnext::train {

using core::Size;

// The counters that key random numbers and bias corrections.
struct Counters {
  std::uint64_t step = 0;            // optimizer steps over the network's life: the key of dropout masks
  std::uint64_t epoch = 0;           // begun epochs over the network's life: the key of the sample order
  std::uint64_t optimizer_step = 0;  // steps of the present optimizer
};

template <class T>
struct State {
  explicit State(std::uint64_t seed) : network(seed) {}

  nn::Network<T> network;
  Counters counters;

  const kernels::LossKernel<T>* loss = &ops::find_loss(network.kernels, "mse");
  T loss_argument = 0;
  Size head = 0;  // layers before the loss: one less than all where the last is fused with it
  std::unique_ptr<optim::Optimizer<T>> optimizer;
  std::vector<std::vector<core::Buffer<T>>> optimizer_state;  // [parameter over all layers][state]

  Gate gate;  // of all that is above; readers: predictions and copies; writer: whoever changes it

  // Puts a new optimizer in charge, with fresh state and its own step count.
  void set_optimizer(std::unique_ptr<optim::Optimizer<T>> new_optimizer);
  // Chooses the loss, and whether the last layer is computed together with it in one stable form.
  void set_loss(const kernels::LossKernel<T>& new_loss, bool fuse_last_layer);

  Size parameter_count() const;  // parameters over all layers, in the order of optimizer_state
  bool parameters_finite() const;
  // Applies the optimizer to a piece of a layer's parameter (the `index`-th over all layers), given its gradient.
  void apply(nn::Layer<T>& layer, Size index, const nn::Piece& piece, const T* gradient);
};

// What training has reached, at one moment: the parameters over all layers, the optimizer's state and the counters.
template <class T>
struct StateCopy {
  explicit StateCopy(const State<T>& state);

  std::vector<core::Buffer<T>> parameters;
  std::vector<std::vector<core::Buffer<T>>> optimizer_state;
  Counters counters;
};

}  // namespace nnext::train
