// The numbers of a plan, for one user: a training, or one thread that predicts.
#pragma once

#include <vector>

#include "train/plan.h"

namespace nnext::train {

// Builds for debugging fill memory that nothing has written yet with NaN, so that whoever reads it is found out. What a
// member has for itself is left: layers keep constants there.
#ifdef NNEXT_POISON
inline constexpr bool kPoisons = true;
#else
inline constexpr bool kPoisons = false;
#endif

// Of rows that have ends of their own, what follows becomes 0.
template <class T>
void clear_after_ends(Matrix<T> values, const Shape& shape, const std::uint32_t* lengths, runtime::Range rows) {
  for (Size i = rows.begin; lengths != nullptr && i < rows.end; ++i)
    std::fill(values.row(i) + lengths[i] * shape.channels, values.row(i) + values.cols, T{0});
}

// What one member of a team sees of an arena: a frame for each stage, all pointers resolved.
template <class T>
class View {
 public:
  View(const Plan<T>& plan, T* numbers, std::uint32_t* lengths, std::byte* shared, std::byte* own);

  const nn::Frame<T>& frame(Size stage) const { return frames_[stage]; }
  Matrix<T> at(const Place& place) const { return {numbers_ + place.offset, rows_, place.features}; }
  // The batch: its own copy in the arena, or rows that lie elsewhere.
  ConstMatrix<T> input() const { return input_; }
  Matrix<T> input_copy() const { return at(plan_->input()); }
  void set_batch(ConstMatrix<T> x);
  void set_rows(Size rows);
  // What the batch's rows carry, Plan::carried() numbers each, layer by layer (nn::Frame::state).
  void set_state(const T* state, T* next);
  // Whether the batch's rows have ends of their own, and then length(i) for some of them.
  void use_lengths(bool uses);
  template <class F>
  void set_lengths(runtime::Range rows, F length) {
    if (!uses_lengths_) return;
    for (Size i = rows.begin; i < rows.end; ++i) {
      lengths_[i] = static_cast<std::uint32_t>(length(i));
      set_lengths_behind(i);
    }
  }
  const std::uint32_t* lengths(Size rule) const {  // of each row; null: all have all
    return uses_lengths_ && rule != kNoLengths ? lengths_ + rule * plan_->batch() : nullptr;
  }
  const Plan<T>& plan() const { return *plan_; }

 private:
  struct More {
    std::vector<ConstMatrix<T>> x, dy;
    std::vector<Matrix<T>> dx;
  };
  ConstMatrix<T> value(const Place& place) const { return place.input ? input_ : ConstMatrix<T>(at(place)); }
  void set_lengths_behind(Size row);

  const Plan<T>* plan_;
  T* numbers_;
  std::uint32_t* lengths_;  // [rule][row of the batch]
  bool uses_lengths_ = false;
  Size rows_;
  ConstMatrix<T> input_;
  std::vector<nn::Frame<T>> frames_;
  std::vector<Size> readers_;              // the stages whose x is the batch
  std::vector<More> more_;                 // of the stages where branches part or join
  std::vector<std::pair<Size, Size>> of_;  // which stage has which of these
};

// A stage's layer on some rows.
template <class T>
void go_forward(const nn::Pass<T>& pass, const View<T>& view, Size stage, const nn::Part& part, int round) {
  const nn::Frame<T>& frame = view.frame(stage);
  view.plan().stages()[stage].layer().forward(pass, frame, part, round);
  clear_after_ends(frame.y, *frame.out, frame.out_lengths, part);
}
template <class T>
void go_backward(const nn::Pass<T>& pass, const View<T>& view, Size stage, const nn::Part& part, int round) {
  const nn::Frame<T>& frame = view.frame(stage);
  view.plan().stages()[stage].layer().backward(pass, frame, part, round);
  clear_after_ends(frame.dx, *frame.in, frame.in_lengths, part);
}

template <class T>
class Arena {
 public:
  Arena(const Plan<T>& plan, Size members);
  Arena(Arena&&) noexcept = default;  // views point to its memory, which stays where it is
  Arena& operator=(Arena&&) noexcept = default;
  View<T>& view(Size member) { return views_[member]; }
  void poison();  // where kPoisons

 private:
  core::Buffer<T> numbers_;
  core::Buffer<std::uint32_t> lengths_;
  core::Buffer<std::byte> shared_, own_;
  std::vector<View<T>> views_;
};

}  // namespace nnext::train
