// An epoch of a fit under way, and which way its steps take.
#pragma once

#include <limits>
#include <memory>

#include "train/fit.h"

namespace nnext::train {

template <class T>
struct Fit<T>::Run {
  Epoch<T>& epoch;
  runtime::Cancel& cancel;
  Program program{};
  bool long_steps = false;          // steps that can be interrupted
  bool at_once = false;             // a gradient is applied as soon as it is there
  bool by_features = false;         // the first stage is split so
  bool goes_ahead = false;          // the first stage goes forward for the next step while its weights change
  bool first_look = true;           // at the batches of this step: what metrics see of it
  std::unique_ptr<Tiny<T>> tiny{};  // not null: takes the layers' place in every step
  std::optional<Clock::time_point> deadline{};

  bool out_of_time() const { return deadline && Clock::now() >= *deadline; }
  // Up to the next snapshot, so that one is taken before it.
  Size next_stop() const {
    const Size last = epoch.steps() - 1;
    if (epoch.step == last) return epoch.steps();
    return std::min(core::round_up(epoch.step + 1, Snapshots<T>::kInterval), last);
  }
  Runner<T> runner() const {
    return {program, epoch.shares(), epoch, long_steps ? runtime::kBlockRows : std::numeric_limits<Size>::max()};
  }
  // Before the update those of a batch are done, after a step's last one also what is done once.
  Size phases_of(Size batch, Size count) const { return batch + 1 == count ? program.update : program.per_batch; }
  int members() const { return static_cast<int>(epoch.shares().count()); }  // at most
};

}  // namespace nnext::train
