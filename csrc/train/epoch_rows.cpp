// The rows of an epoch's batches: where they come from, those that come next, and their targets.
#include <algorithm>
#include <utility>

#include "kernels/prefetch.h"
#include "train/epoch.h"

namespace nnext::train {

using runtime::Member;

template <class T>
Size Epoch<T>::count_places(const Batch<T>& batch) const {
  Size places = 0;
  for (Size i = 0, first = batch.first - batch.before; i < batch.step_rows; ++i)
    places += plan_.head_length(samples_->x.length(sample(first + i)));
  return places;
}

// The rows of the next batch that this member will read, spread over its pieces.
template <class T>
void Epoch<T>::look_ahead(const Member& me, Own& mine) const {
  const Size next = mine.batch.first + mine.batch.x.rows, rows = std::min(batch_rows_, samples_->x.rows - next);
  Size pieces = 0;
  for_own_shares(me, shares_, [&](Size share) {
    for (const Task& task : shares_.tasks[share]) pieces += task.pieces.size();
  });
  const Range ahead = by_features_ ? Range{0, rows} : me.share(rows);
  mine.ahead.begin(ahead.begin, ahead.size(), samples_->x.row_bytes(), pieces);
}

// Copies rows of the batch, converted where they must be, unless they are read where they lie. Targets with them: both
// wait for memory, and a step of a tiny network took 1.3 times as long where they waited one after the other.
template <class T>
void Epoch<T>::gather(const Member& me, View<T>& view, Range rows) {
  const Batch<T>& batch = own(me).batch;
  // By features these are all rows, for every member; the host knows the targets of its own loss.
  view.set_lengths(rows, [&](Size i) { return samples_->x.length(sample(batch.first + i)); });
  if (!by_features_ && !has_host_loss()) gather_targets(batch, rows);
  if (order_.size() == 0) return;
  const Matrix<T> to(const_cast<T*>(view.input().row(rows.begin)), rows.size(), samples_->x.cols);
  samples_->x.gather(order_.data() + batch.first + rows.begin, to);
  if (fetches_) fetch_from(batch.first + batch.x.rows, rows);
}

template <class T>
void Epoch<T>::go_ahead(const Member& me, bool last) {
  Own& mine = own(me);
  mine.next = {};
  if (last) return;
  const Size next = mine.batch.first + 1;
  mine.next = {order_.size() == 0 ? samples_->x.view(next, 1).data : mine.next_x.data(), next_y_.data()};
  if (order_.size() == 0) return;
  samples_->x.gather(order_.data() + next, Matrix<T>(mine.next_x.data(), 1, samples_->x.cols));
  if (fetches_) fetch_from(next + 1, {0, 1});
}

// All members have passed a barrier since they went, so that one can put together what they gave.
template <class T>
bool Epoch<T>::is_ahead(const Member& me, View<T>& view) {
  if (std::exchange(own(me).next.blocks, 0) == 0) return false;
  const Matrix<T>& y = view.frame(0).y;
  if (me.is_caller()) std::copy_n(next_y_.data(), y.cols, y.data);
  return true;
}

namespace {

void fetch(const void* from, Size bytes) {
  kernels::keep_prefetches();
  for (Size byte = 0; byte < std::min(bytes, runtime::kFetchBytes); byte += core::kCacheLine)
    __builtin_prefetch(static_cast<const char*>(from) + byte);
}

}  // namespace

// Small batches are asked for at once: these rows of the one that begins there.
template <class T>
void Epoch<T>::fetch_from(Size next, Range rows) const {
  const Size end = std::min(next + rows.end, samples_->x.rows);
  const ops::Targets<T>& targets = samples_->targets;
  for (Size i = next + rows.begin; i < end; ++i) {
    fetch(samples_->x.address(order_[i]), samples_->x.row_bytes());
    if (targets.indices != nullptr)
      fetch(targets.indices + order_[i] * targets.places, targets.places * sizeof(std::int32_t));
    else if (targets.dense)
      fetch(targets.dense.row(order_[i]), targets.dense.cols * sizeof(T));
  }
}

// Copies targets unless they are read as they lie, and works out how much each row's loss counts.
template <class T>
void Epoch<T>::gather_targets(const Batch<T>& batch, Range rows) {
  const Range of_step{batch.before + rows.begin, batch.before + rows.end};
  const auto of_sample = [&](Size i) { return sample(batch.first - batch.before + i); };
  if (has_ends())
    terms_.weigh(of_step, batch.step_places, of_sample,
                 [&](Size i) { return plan_.head_length(samples_->x.length(of_sample(i))); });
  else
    terms_.weigh(of_step, batch.step_rows, of_sample);
  if (order_.size() == 0) return;
  const std::uint32_t* order = order_.data() + batch.first;
  if (const ConstMatrix<T>& dense = samples_->targets.dense; dense)
    training_.network.kernels.layout.gather(rows.size(), dense.cols, dense.data,
                                            dense.row_stride * static_cast<core::Stride>(sizeof(T)), order + rows.begin,
                                            dense_.data() + rows.begin * dense.cols);
  else if (const Size places = samples_->targets.places; places == 1)  // calls of memmove took a tenth of a tiny step
    for (Size i = rows.begin; i < rows.end; ++i) indices_.data()[i] = samples_->targets.indices[order[i]];
  else
    for (Size i = rows.begin; i < rows.end; ++i)
      std::copy_n(samples_->targets.indices + order[i] * places, places, indices_.data() + i * places);
}

// The members above; the others are instantiated in epoch.cpp.
template class Epoch<float>;
template class Epoch<double>;

}  // namespace nnext::train
