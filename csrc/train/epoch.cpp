#include "train/epoch.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/checks.h"
#include "train/output_rows.h"

namespace nnext::train {

using runtime::Member;

template <class T>
Epoch<T>::Own::Own(View<T>& view_, Epoch& epoch, Size index)
    : view(view_),
      tile(epoch.training_,
           [&epoch, index] {
             Own& own = epoch.own_[index];
             const Size end = own.batch.first + own.batch.x.rows;
             return own.ahead.next([&](Size i) { return epoch.samples_->x.address(epoch.sample(end + i)); });
           }),
      array(epoch.gradients_) {}

template <class T>
Epoch<T>::Epoch(Training<T>& training, const Plan<T>& plan, Shares shares)
    : training_(training), plan_(plan), shares_(std::move(shares)), arena_(plan, shares_.count()) {
  own_.reserve(shares_.count());  // they refer to their places
  for (Size i = 0; i < shares_.count(); ++i) own_.emplace_back(arena_.view(i), *this, i);
  if (const double limit = training.settings.clip_norm; limit > 0) clip_.emplace(training.section, limit);
}

namespace {

template <class N>
void make_room(core::Buffer<N>& buffer, Size rows, Size cols) {
  if (const Size wanted = core::checked_product(rows, cols); buffer.size() < wanted) buffer = core::Buffer<N>(wanted);
}

}  // namespace

template <class T>
void Epoch<T>::start(const Samples<T>& samples, const EpochOptions& options, Size rows, Order order) {
  samples_ = &samples, options_ = options, order_ = std::move(order);
  step = 0, counted_ = 0, loss_sum_ = 0, diverged = false;
  training_.set(options.settings);
  changing_.clear();
  for (const SettingValues& of : options.changing)
    changing_.push_back({training_.optimizer->find_setting(of.name), of.each});
  const Size batch = plan_.batch();
  const Size whole = std::min(options.batch_size, samples.x.rows);
  batch_rows_ = rows;
  step_rows_ = whole * std::min(training_.settings.accumulate, core::divide_up(samples.x.rows, whole));
  batches_ = core::divide_up(step_rows_, batch_rows_);
  terms_ = LossTerms<T>(samples.weights, step_rows_, plan_.head_shape());
  make_room(indices_, samples.targets.indices != nullptr ? batch : 0, samples.targets.places);
  make_room(dense_, samples.targets.dense ? batch : 0, samples.targets.dense.cols);
  const bool own_copies = shares_.split_first() && order_.size() > 0;
  for (Own& own : own_) {
    own.batch = {};  // the targets before may have been of another kind
    make_room(own.x, own_copies ? batch : 0, samples.x.cols);
    make_room(own.next_x, own_copies && batch == 1 ? 1 : 0, samples.x.cols);
    own.next = {};
  }
  if (batch == 1 && shares_.split_first()) make_room(next_y_, 1, plan_.stages().front().y.features);
  const Size batch_bytes = batch * samples.x.row_bytes();
  prefetches_ = batch_bytes > runtime::kL1Bytes && batch_bytes <= runtime::kPrefetchBytes;
  fetches_ = batch_rows_ <= runtime::kFetchRows && samples.x.rows * samples.x.row_bytes() > runtime::kL1Bytes;
}

template <class T>
void Epoch<T>::follow(bool keeps_gradients, bool by_features) {
  by_features_ = by_features;
  if (keeps_gradients == gradients_.empty())
    gradients_ = keeps_gradients ? Gradients<T>(training_.passed()) : Gradients<T>();
}

template <class T>
void Epoch<T>::begin(const Member& me, Size step_, Size batch_) {
  Own& mine = own(me);
  Batch<T>& batch = mine.batch;
  batch.before = batch_ * batch_rows_;
  batch.first = step_ * step_rows_ + batch.before;
  batch.step_rows = std::min(step_rows_, samples_->x.rows - step_ * step_rows_);
  const Size rows = std::min(batch_rows_, batch.step_rows - batch.before);
  const bool gathered = order_.size() > 0;
  const ops::Targets<T>& targets = samples_->targets;
  batch.targets.places = targets.places;
  if (targets.indices != nullptr)
    batch.targets.indices = gathered ? indices_.data() : targets.indices + batch.first * targets.places;
  else if (targets.dense)
    batch.targets.dense =
        gathered ? ConstMatrix<T>(dense_.data(), rows, targets.dense.cols) : targets.dense.rows_from(batch.first, rows);
  if (mine.next.blocks > 0) std::swap(mine.x, mine.next_x);
  const auto copy = [&](T* data) { return ConstMatrix<T>(data, rows, samples_->x.cols); };
  batch.x = !gathered      ? samples_->x.view(batch.first, rows)
            : by_features_ ? copy(mine.x.data())
                           : copy(mine.view.input_copy().data);
  mine.view.set_batch(batch.x);
  mine.view.use_lengths(samples_->x.has_lengths());
  if (plan_.carries_state()) {
    const bool exchanged = (step_ - run_.step) % 2 != 0;
    mine.view.set_state(exchanged ? run_.next_state : run_.state, exchanged ? run_.state : run_.next_state);
  }
  if (has_ends()) batch.step_places = count_places(batch);
  if (prefetches_) look_ahead(me, mine);
}

template <class T>
void Epoch<T>::loss(const nn::Pass<T>& pass, View<T>& view, Range rows) {
  const Batch<T>& batch = own(pass.me).batch;
  if (by_features_) gather_targets(batch, rows);
  terms_.compute(training_.loss, batch.before + rows.begin, view.at(plan_.head()).rows_from(rows.begin, rows.size()),
                 batch.targets.rows_from(rows.begin, rows.size()),
                 view.at(plan_.head_gradient()).rows_from(rows.begin, rows.size()));
}

template <class T>
void Epoch<T>::outputs(const Member& me, View<T>& view, Range rows) {
  const Size first = own(me).batch.first;
  const Matrix<T> from = view.at(plan_.output()), to = samples_->outputs;
  const core::Turn turn = core::Turn::of(plan_.output_shape());
  for (Size i = rows.begin; i < rows.end; ++i)
    put_row(training_.network.kernels.layout, turn, from.cols, from.row(i), to.row(sample(first + i)));
}

template <class T>
nn::Sink<T>& Epoch<T>::sink(const Member& me, const Stage<T>& stage) {
  Own& mine = own(me);
  if (gradients_.empty()) {
    mine.tile.set_stage(stage);
    mine.tile.ahead = mine.next.x != nullptr && &stage == &plan_.stages().front() ? &mine.next : nullptr;
    return mine.tile;
  }
  mine.array.set_stage(stage);
  return mine.array;
}

template <class T>
void Epoch<T>::update(const Member& me) {
  apply_gradients(training_, plan_, shares_, me, gradients_, clip_ ? clip_->factor() : T(1));
}

template <class T>
double Epoch<T>::host_loss(Own& own) {
  const View<T>& view = own.view;
  std::vector<std::uint32_t> rows(own.batch.x.rows);
  for (Size i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint32_t>(sample(own.batch.first + i));
  const Matrix<T> dy = view.at(plan_.output_gradient());
  runtime::require_open_gates("the host's loss");
  const HostLoss said = samples_->host_loss(view.at(plan_.output()), rows.data(), dy);
  if (!said.settings.empty()) changing_.clear(), training_.set(said.settings);
  clear_after_ends(dy, plan_.output_shape(), view.lengths(plan_.output_lengths()), {0, rows.size()});
  const kernels::KernelTable<T>& kernels = training_.network.kernels;
  const bool finite = kernels.reduce.count_nonfinite(dy.rows * dy.cols, dy.data) == 0;
  const double share = static_cast<double>(rows.size()) / static_cast<double>(own.batch.step_rows);
  if (share != 1) kernels.elementwise.scale(dy.rows * dy.cols, static_cast<T>(share), dy.data, dy.data);
  return finite ? share * said.loss : std::numeric_limits<double>::infinity();
}

template <class T>
void Epoch<T>::count(double loss) {
  const Size counted = has_ends() ? own().batch.step_places : own().batch.step_rows;
  ++step;
  std::swap(training_.carried.numbers, training_.carried.next);
  if (const Size of = options_.part_of.value_or(steps()); of > 0) training_.position.end_step(of);
  loss_sum_ += loss * static_cast<double>(counted);
  counted_ += counted;
}

// The members above; the others are instantiated in epoch_rows.cpp.
template class Epoch<float>;
template class Epoch<double>;

}  // namespace nnext::train
