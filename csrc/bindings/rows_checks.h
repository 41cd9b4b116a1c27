// What is checked of samples, whether they come as an array or as a sparse matrix.
#pragma once

#include <cmath>

#include "bindings/rows.h"

namespace nnext::bindings {

// How an array is seen: as samples of a shape, or as one of them.
struct Seen {
  Size rows;
  core::Shape shape;
  bool one_sample = false;
};
// ValueError for a shape that the network cannot take.
template <class T>
Seen see(std::span<const py::ssize_t> shape, const RowsWanted<T>& wanted, const Argument& argument);

// The rows that are looked at: `count` from `first` on or, where they do not follow each other, those at `positions`.
struct ChosenRows {
  Size first, count;
  const std::uint32_t* positions;
};
ChosenRows choose_rows(const Argument& argument, Size rows);

// Says which numbers are not finite to the network, each of which is shown to it.
template <class T>
class NotFinite {
 public:
  NotFinite(T scale, bool refused, const Argument& argument) : scale_(scale), refused_(refused), argument_(argument) {}

  // index(): where it stands. Throws for a number that only the type or the scale makes infinite.
  template <class F>
  void add(double value, F index) {
    if (!std::isfinite(value)) {
      if (count_++ == 0) first_ = value, where_ = index();
    } else if (std::isinf(static_cast<T>(value))) {
      fail_too_large(argument_, value, index());
    } else if (std::isinf(static_cast<T>(value) * scale_)) {
      fail(argument_, "has ", value, " at ", index(), ", which times scale ", scale_, " is infinite in ", kTypeName<T>,
           "; give a smaller scale");
    }
  }
  // Throws for those that are NaN or infinite as they are, if such are refused.
  void tell() const {
    if (refused_ && count_ > 0) fail_nonfinite(argument_, count_, first_, where_);
  }

 private:
  T scale_;
  bool refused_;
  const Argument& argument_;
  Size count_ = 0;
  double first_ = 0;
  std::string where_;
};

}  // namespace nnext::bindings
