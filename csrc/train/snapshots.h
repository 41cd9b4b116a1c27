// Copies of the training state to fall back to when a step turns out to have diverged.
//
// A step's update is known to be bad only when the next step's loss is not finite: then the state before that update is
// wanted. Copying it at every step would cost; training is reproducible bit for bit, so it is enough to copy every
// kInterval steps and to repeat the steps since.
#pragma once

#include <optional>
#include <utility>

#include "train/training.h"

namespace nnext::train {

template <class T>
class Snapshots {
 public:
  static constexpr Size kInterval = 256;  // one copy of the parameters in 256 updates of them

  void take(const Training<T>& training);

  // Called before every step of an epoch of `steps`. The last step of an epoch gets a copy of its own, so that going
  // back never crosses into the epoch before.
  void before_step(const Training<T>& training, Size step, Size steps) {
    if (step % kInterval == 0 || step + 1 == steps) take(training);
  }

  // Goes back to the newest copy that is older than the last update, which was bad. Returns how many steps then have
  // to be repeated to stand right before that update; nothing where there is no such copy.
  std::optional<Size> restore(Training<T>& training) const;

 private:
  std::optional<StateCopy<T>> newest_, older_;
};

}  // namespace nnext::train
