// A network, and the trainers of it or of slices of it, which tell each other what they change.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "nn/network.h"
#include "runtime/checks.h"

namespace nnext::train {

using core::Size;

template <class T>
class Trainer;

template <class T>
class SharedNetwork {
 public:
  SharedNetwork(std::uint64_t seed, const std::vector<core::Config>& layers, nn::Numbering numbering)
      : network(seed, layers, numbering) {}

  nn::Network<T> network;

  void add(Trainer<T>* trainer) {
    const Gate::NoFork no_fork;
    const std::lock_guard lock(mutex_);
    trainers_.push_back(trainer);
    count_ = trainers_.size();
  }
  // Waits for calls with it that are under way.
  void remove(Trainer<T>* trainer) {
    const Gate::NoFork no_fork;
    const std::lock_guard lock(mutex_);
    std::erase(trainers_, trainer);
    count_ = trainers_.size();
  }
  bool has_several() const { return count_ > 1; }
  // All of them, while nobody comes or goes. Inside the gate as its writer: forks wait for that, so no child finds the
  // list locked.
  class All {
   public:
    explicit All(const SharedNetwork& shared) : lock_(shared.mutex_, std::defer_lock), trainers_(&shared.trainers_) {
      runtime::require_may_wait("a look at the models of a network");
      lock_.lock();
    }
    auto begin() const { return trainers_->begin(); }
    auto end() const { return trainers_->end(); }

   private:
    std::unique_lock<std::mutex> lock_;
    const std::vector<Trainer<T>*>* trainers_;
  };

 private:
  using Gate = runtime::Gate;
  mutable std::mutex mutex_;
  std::atomic<Size> count_{0};
  std::vector<Trainer<T>*> trainers_;
};

}  // namespace nnext::train
