// A network, and the trainers of it or of slices of it, which tell each other what they change.
#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include "nn/network.h"

namespace nnext::train {

template <class T>
class Trainer;

template <class T>
class SharedNetwork {
 public:
  SharedNetwork(std::uint64_t seed, const std::vector<core::Config>& layers, nn::Numbering numbering)
      : network(seed, layers, numbering) {}

  nn::Network<T> network;

  void add(Trainer<T>* trainer) {
    const std::lock_guard lock(mutex_);
    trainers_.push_back(trainer);
  }
  // Waits for calls with it that are under way.
  void remove(Trainer<T>* trainer) {
    const std::lock_guard lock(mutex_);
    std::erase(trainers_, trainer);
  }
  bool has_several() const {
    const std::lock_guard lock(mutex_);
    return trainers_.size() > 1;
  }
  // Calls f(trainer).
  template <class F>
  void for_trainers(F f) const {
    const std::lock_guard lock(mutex_);
    for (Trainer<T>* trainer : trainers_) f(*trainer);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Trainer<T>*> trainers_;
};

}  // namespace nnext::train
