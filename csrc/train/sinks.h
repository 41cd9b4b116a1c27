// What becomes of the gradient of a piece: it is applied at once, from a tile in L1, or kept in an array.
#pragma once

#include <array>
#include <functional>

#include "runtime/costs.h"
#include "train/plan.h"
#include "train/training.h"

namespace nnext::train {

// Rows that a member reads in the next step, of which it asks for some before every piece: they lie anywhere in memory.
class RowsAhead {
 public:
  // Spreads `rows` rows from the first on over `pieces` calls of next().
  void begin(Size first, Size rows, Size row_bytes, Size pieces) {
    first_ = first, rows_ = rows, bytes_ = row_bytes, pieces_ = pieces, done_ = 0;
  }
  // row(i): where row i lies.
  template <class F>
  kernels::Prefetch next(F row) {
    const Size first = rows_ * done_ / pieces_, end = rows_ * (done_ + 1) / pieces_;
    const Size count = std::min(end - first, static_cast<Size>(at_.size()));
    for (Size i = 0; i < count; ++i) at_[i] = row(first_ + first + i);
    ++done_;
    return {at_.data(), count, bytes_};
  }

 private:
  std::array<const void*, runtime::kMaxPrefetchRows> at_;
  Size first_ = 0, rows_ = 0, bytes_ = 0, pieces_ = 1, done_ = 0;
};

template <class T>
class TileSink final : public nn::Sink<T> {
 public:
  // `fetches` is asked before every piece what to prefetch.
  TileSink(Training<T>& training, std::function<kernels::Prefetch()> fetches)
      : training_(&training), fetches_(std::move(fetches)), tile_(nn::kMaxPiece) {}
  void set_stage(const Stage<T>& stage) { stage_ = &stage; }
  T* at(const nn::Piece&) override {
    this->prefetch = fetches_();
    return tile_.data();
  }
  void done(const nn::Piece& piece) override { training_->apply(*stage_->node, piece, tile_.data()); }
  kernels::InPlace<T> in_place(const nn::Piece& piece) override {
    const kernels::InPlace<T> weights = training_->in_place(*stage_->node, piece);
    if (weights.step != nullptr) this->prefetch = fetches_();
    return weights;
  }
  void applied(const nn::Piece& piece) override { training_->finish(*stage_->node, piece); }

 private:
  Training<T>* training_;
  std::function<kernels::Prefetch()> fetches_;
  core::Buffer<T> tile_;
  const Stage<T>* stage_ = nullptr;
};

// Gradients of all parameters of a section, which must outlive them, stored like them.
template <class T>
class Gradients {
 public:
  Gradients() = default;
  explicit Gradients(const nn::Section<T>& section) : section_(&section) {
    section.for_parameters(
        [&](const nn::Node<T>&, const nn::Parameter<T>& parameter, Size) { arrays_.emplace_back(parameter.stored); });
  }
  bool empty() const { return arrays_.empty(); }
  T* at(const nn::Node<T>& node, const nn::Piece& piece) {
    return arrays_[section_->index(node, piece.parameter)].data() + piece.offset;
  }
  const T* of(const nn::Node<T>& node, Size parameter) const {
    return arrays_[section_->index(node, parameter)].data();
  }
  const std::vector<core::Buffer<T>>& arrays() const { return arrays_; }
  T* array(Size parameter) { return arrays_[parameter].data(); }

 private:
  const nn::Section<T>* section_ = nullptr;
  std::vector<core::Buffer<T>> arrays_;
};

template <class T>
class ArraySink final : public nn::Sink<T> {
 public:
  explicit ArraySink(Gradients<T>& gradients) : gradients_(&gradients) {}
  void set_stage(const Stage<T>& stage) { stage_ = &stage; }
  T* at(const nn::Piece& piece) override { return gradients_->at(*stage_->node, piece); }

 private:
  Gradients<T>* gradients_;
  const Stage<T>* stage_ = nullptr;
};

}  // namespace nnext::train
