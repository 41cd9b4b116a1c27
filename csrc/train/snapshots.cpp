#include "train/snapshots.h"

namespace nnext::train {

template <class T>
void Snapshots<T>::take(const Training<T>& training) {
  std::swap(newest_, older_);
  if (newest_)
    newest_->take(training);
  else
    newest_.emplace(training);
}

template <class T>
std::optional<Size> Snapshots<T>::restore(Training<T>& training) const {
  const Counters now = training.counters;
  const StateCopy<T>* copy = newest_ && newest_->counters.step < now.step ? &*newest_ : older_ ? &*older_ : nullptr;
  if (copy == nullptr || copy->counters.step >= now.step) return std::nullopt;
  copy->put_back(training);
  return now.step - 1 - copy->counters.step;
}

template class Snapshots<float>;
template class Snapshots<double>;

}  // namespace nnext::train
