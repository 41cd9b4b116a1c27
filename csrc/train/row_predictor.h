// A network's output for one sample, with the least there can be around the layers themselves.
#pragma once

#include <algorithm>
#include <vector>

#include "core/buffer.h"
#include "nn/network.h"

namespace nnext::train {

// The caller sees to it that parameters do not change meanwhile. Any number of threads may use one at once.
template <class T>
class RowPredictor {
 public:
  RowPredictor(const nn::Network<T>& network, core::Size in_features)
      : kernels_(network.kernels), in_features_(in_features), out_features_(in_features), widest_(in_features) {
    for (const auto& layer : network.layers) {
      out_features_ = layer->out_features(out_features_);
      widest_ = std::max(widest_, out_features_);
      if (!layer->passes_through(false)) stages_.push_back({layer.get(), out_features_});
    }
  }
  core::Size in_features() const { return in_features_; }
  core::Size out_features() const { return out_features_; }

  // y[out_features] for x[in_features]; y may overlap x. Allocates when a thread calls it first.
  void operator()(const T* x, T* y) const {
    T* const scratch = scratch_of_thread();
    runtime::Barrier barrier(1, false);
    runtime::Member me(0, 1, barrier, nullptr);
    const nn::Pass<T> pass{.kernels = kernels_, .me = me};
    core::ConstMatrix<T> at(x, 1, in_features_);
    for (const Stage& stage : stages_) {
      T* to = at.data == scratch ? scratch + core::round_up(widest_, kLine) : scratch;
      if (at.data != x && stage.layer->in_place() && stage.features == at.cols) to = const_cast<T*>(at.data);
      const core::Matrix<T> next(to, 1, stage.features);
      stage.layer->forward(pass, at, next);
      at = next;
    }
    std::copy_n(at.data, at.cols, y);
  }

 private:
  static constexpr core::Size kLine = core::kCacheLine / sizeof(T);
  struct Stage {
    const nn::Layer<T>* layer;
    core::Size features;
  };

  // Two rows of the widest stage.
  T* scratch_of_thread() const {
    thread_local core::Buffer<T> buffer;
    const core::Size wanted = 2 * core::round_up(widest_, kLine);
    if (buffer.size() < wanted) buffer = core::Buffer<T>(wanted);
    return buffer.data();
  }

  const kernels::KernelTable<T>& kernels_;
  core::Size in_features_, out_features_, widest_;
  std::vector<Stage> stages_;
};

}  // namespace nnext::train
