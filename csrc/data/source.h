// What gives a batch its rows: samples in somebody else's memory, of which no copy is ever made as a whole.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/shape.h"
#include "core/view.h"

namespace nnext::data {

using core::ConstMatrix;
using core::Matrix;
using core::Size;

// Where rows lie, the numbers of each in one piece.
struct Lying {
  const void* data = nullptr;
  core::Stride stride = 0;  // in bytes, may be zero or negative
  Size bytes = 0;           // of a row; 0: rows do not lie in one piece
};

// Samples of a shape, rows of `cols` numbers, as a network of T reads them. Some of those that lie there may have been
// chosen: then these are the rows, and row i is the chosen[i] of them.
template <class T>
class Source {
 public:
  core::Shape shape;  // of a row
  Size rows, cols;

  virtual ~Source() = default;

  // Whether the network can read the rows where they lie; only then they can be viewed.
  bool in_place() const { return in_place_; }
  ConstMatrix<T> view(Size first, Size count) const { return {static_cast<const T*>(address(first)), count, cols}; }

  // Writes as many rows as `to` has, which lie there without gaps: from `first` on, or order[0], order[1] ...
  void read(Size first, Matrix<T> to) const {
    if (chosen_ == nullptr) return read_lying(first, to);
    gather_lying(chosen_ + first, to);
  }
  void gather(const std::uint32_t* order, Matrix<T> to) const {
    if (chosen_ == nullptr) return gather_lying(order, to);
    std::array<std::uint32_t, 256> lying;
    for (Size done = 0; done < to.rows; done += lying.size()) {
      const Size count = std::min(to.rows - done, lying.size());
      for (Size i = 0; i < count; ++i) lying[i] = chosen_[order[done + i]];
      gather_lying(lying.data(), to.rows_from(done, count));
    }
  }
  // The same rows viewed where that is possible, else written to `room`.
  ConstMatrix<T> view_or_read(Size first, Matrix<T> room) const {
    if (in_place_) return view(first, room.rows);
    read(first, room);
    return room;
  }

  // Sequences may end before the last step that there is room for; what a row has after that is read as 0.
  bool has_lengths() const { return lengths_ != nullptr; }
  Size length(Size i) const { return lengths_[chosen_ == nullptr ? i : chosen_[i]]; }

  // Where row i lies, and how long it is there, so that it can be prefetched: no virtual call for each.
  const void* address(Size i) const {
    const Size lying = chosen_ == nullptr ? i : chosen_[i];
    return static_cast<const char*>(lying_.data) + static_cast<core::Stride>(lying) * lying_.stride;
  }
  Size row_bytes() const { return lying_.bytes; }  // 0: it has no address

 protected:
  // `chosen`: positions of `rows_` rows; null: all, in order. `lengths`: steps of all that lie there; null: all have as
  // many as the shape.
  Source(Size rows_, const core::Shape& shape_, const Lying& lying, const std::uint32_t* chosen,
         const std::uint32_t* lengths = nullptr)
      : shape(shape_), rows(rows_), cols(shape_.numbers()), lying_(lying), chosen_(chosen), lengths_(lengths) {}
  Source(const Source&) = default;
  Source& operator=(const Source&) = default;

  // Whoever can be read where it lies says so.
  void set_in_place(bool in_place) { in_place_ = in_place && chosen_ == nullptr && lengths_ == nullptr; }
  // What follows the end of row i of those that lie there.
  void clear_after_end(Size i, T* row) const {
    if (lengths_ != nullptr) std::fill(row + lengths_[i] * shape.channels, row + cols, T{0});
  }

 private:
  // The same of the rows that lie there, whether they were chosen or not.
  virtual void read_lying(Size first, Matrix<T> to) const = 0;
  virtual void gather_lying(const std::uint32_t* order, Matrix<T> to) const = 0;

  Lying lying_;
  const std::uint32_t* chosen_;
  const std::uint32_t* lengths_;
  bool in_place_ = false;
};

}  // namespace nnext::data
