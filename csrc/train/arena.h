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

// What one member of a team sees of an arena: a frame for each stage, all pointers resolved.
template <class T>
class View {
 public:
  View(const Plan<T>& plan, T* numbers, std::byte* shared, std::byte* own);

  const nn::Frame<T>& frame(Size stage) const { return frames_[stage]; }
  Matrix<T> at(const Place& place) const { return {numbers_ + place.offset, rows_, place.features}; }
  // The batch: its own copy in the arena, or rows that lie elsewhere.
  ConstMatrix<T> input() const { return input_; }
  Matrix<T> input_copy() const { return at(plan_->input()); }
  void set_batch(ConstMatrix<T> x);
  void set_rows(Size rows);
  const Plan<T>& plan() const { return *plan_; }

 private:
  struct More {
    std::vector<ConstMatrix<T>> x, dy;
    std::vector<Matrix<T>> dx;
  };
  ConstMatrix<T> value(const Place& place) const { return place.input ? input_ : ConstMatrix<T>(at(place)); }

  const Plan<T>* plan_;
  T* numbers_;
  Size rows_;
  ConstMatrix<T> input_;
  std::vector<nn::Frame<T>> frames_;
  std::vector<Size> readers_;              // the stages whose x is the batch
  std::vector<More> more_;                 // of the stages where branches part or join
  std::vector<std::pair<Size, Size>> of_;  // which stage has which of these
};

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
  core::Buffer<std::byte> shared_, own_;
  std::vector<View<T>> views_;
};

}  // namespace nnext::train
