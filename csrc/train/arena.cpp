#include "train/arena.h"

#include <limits>

namespace nnext::train {

template <class T>
View<T>::View(const Plan<T>& plan, T* numbers, std::uint32_t* lengths, std::byte* shared, std::byte* own)
    : plan_(&plan),
      numbers_(numbers),
      lengths_(lengths),
      rows_(plan.batch()),
      input_(input_copy()),
      frames_(plan.stages().size()) {
  for (Size i = 0; i < frames_.size(); ++i) {
    const Stage<T>& stage = plan.stages()[i];
    frames_[i].shared = shared + stage.shared;
    frames_[i].own = own + stage.own;
    frames_[i].scratch = own + plan.scratch();
    frames_[i].in = &stage.in, frames_[i].out = &stage.out;
    if (stage.x.input) readers_.push_back(i);
    if (stage.more_x.empty() && stage.more_dy.empty()) continue;
    of_.emplace_back(i, more_.size());
    more_.push_back({std::vector<ConstMatrix<T>>(stage.more_x.size()),
                     std::vector<ConstMatrix<T>>(stage.more_dy.size()), std::vector<Matrix<T>>(stage.more_dx.size())});
  }
  set_rows(rows_);
}

template <class T>
void View<T>::set_rows(Size rows) {
  rows_ = rows;
  input_.rows = rows;
  const bool training = plan_->training();
  for (Size i = 0; i < frames_.size(); ++i) {
    const Stage<T>& stage = plan_->stages()[i];
    nn::Frame<T>& frame = frames_[i];
    frame.x = value(stage.x);
    frame.y = at(stage.y);
    if (training) frame.dy = at(stage.dy), frame.dx = at(stage.dx);
    if (stage.saved.features > 0) frame.saved = at(stage.saved);
  }
  for (const auto& [i, m] : of_) {
    const Stage<T>& stage = plan_->stages()[i];
    for (Size k = 0; k < stage.more_x.size(); ++k) more_[m].x[k] = value(stage.more_x[k]);
    for (Size k = 0; k < stage.more_dy.size(); ++k) more_[m].dy[k] = at(stage.more_dy[k]);
    for (Size k = 0; k < stage.more_dx.size(); ++k) more_[m].dx[k] = at(stage.more_dx[k]);
    frames_[i].more_x = more_[m].x, frames_[i].more_dy = more_[m].dy, frames_[i].more_dx = more_[m].dx;
  }
}

template <class T>
void View<T>::set_state(const T* state, T* next) {
  for (Size i = 0; i < frames_.size(); ++i)
    if (const Stage<T>& stage = plan_->stages()[i]; stage.carries) {
      const Size place = stage.state * rows_;
      frames_[i].state = state == nullptr ? nullptr : state + place;
      frames_[i].next_state = next == nullptr ? nullptr : next + place;
    }
}

template <class T>
void View<T>::use_lengths(bool uses) {
  if (uses == uses_lengths_) return;
  uses_lengths_ = uses;
  for (Size i = 0; i < frames_.size(); ++i) {
    frames_[i].in_lengths = lengths(plan_->stages()[i].in_lengths);
    frames_[i].out_lengths = lengths(plan_->stages()[i].out_lengths);
  }
}

template <class T>
void View<T>::set_lengths_behind(Size row) {
  const std::span<const LengthRule<T>> rules = plan_->length_rules();
  for (Size i = kGivenLengths + 1; i < rules.size(); ++i)
    lengths_[i * plan_->batch() + row] =
        static_cast<std::uint32_t>(rules[i].layer->out_length(lengths_[rules[i].from * plan_->batch() + row]));
}

template <class T>
void View<T>::set_batch(ConstMatrix<T> x) {
  if (x.data == input_.data && x.rows == rows_) return;
  input_ = x;
  if (x.rows != rows_) return set_rows(x.rows);
  for (const Size i : readers_) frames_[i].x = x;
  for (const auto& [i, m] : of_)
    for (Size k = 0; k < more_[m].x.size(); ++k)
      if (plan_->stages()[i].more_x[k].input) more_[m].x[k] = x;
}

template <class T>
Arena<T>::Arena(const Plan<T>& plan, Size members)
    : numbers_(plan.numbers()),
      lengths_(plan.length_rules().size() * plan.batch()),
      shared_(plan.shared_bytes()),
      own_(plan.own_bytes() * members) {
  views_.reserve(members);
  for (Size i = 0; i < members; ++i)
    views_.emplace_back(plan, numbers_.data(), lengths_.data(), shared_.data(), own_.data() + i * plan.own_bytes());
}

template <class T>
void Arena<T>::poison() {
  if constexpr (!kPoisons) return;
  std::fill(numbers_.begin(), numbers_.end(), std::numeric_limits<T>::quiet_NaN());
  std::fill(shared_.begin(), shared_.end(), std::byte{0xFF});  // NaN in every type of number
}

template class View<float>;
template class View<double>;
template class Arena<float>;
template class Arena<double>;

}  // namespace nnext::train
