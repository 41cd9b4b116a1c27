// Sparse rows (CSR), made dense one by one when a batch or a block of predictions is gathered, times a scale.
#pragma once

#include <bit>
#include <type_traits>

#include "data/source.h"

namespace nnext::data {

// Row i has the numbers values[starts[i]] ... values[starts[i + 1] - 1] at the columns that `columns` has there, in any
// order, none twice in a row, all within the network's.
template <class Index, class Value>
struct Csr {
  const Index* starts;
  const Index* columns;
  const Value* values;
};

template <class T, class Index, class Value>
class CsrRows final : public Source<T> {
 public:
  CsrRows(Size rows_, Size cols_, const Csr<Index, Value>& csr, T scale, const std::uint32_t* chosen)
      : Source<T>(rows_, cols_, {}, chosen), csr_(csr), scale_(scale) {}

 private:
  // The bits that the row has as an array: there a zero times a negative scale is -0, and a -0 that is stored has
  // become 0, since arrays are made by adding.
  void put(Size i, T* to) const {
    std::fill_n(to, this->cols, T(0) * scale_);
    for (Index at = csr_.starts[i]; at < csr_.starts[i + 1]; ++at) {
      const Value value = without_sign_of_zero(csr_.values[at]);
      T& number = to[csr_.columns[at]];
      if constexpr (std::is_same_v<T, Value>)
        number = scale_ == 1 ? value : value * scale_;
      else
        number = static_cast<T>(value) * scale_;
    }
  }
  // By bits: in training subnormal numbers compare as zeros.
  static Value without_sign_of_zero(Value value) {
    using Bits = std::conditional_t<sizeof(Value) == 4, std::uint32_t, std::uint64_t>;
    return std::bit_cast<Bits>(value) << 1 == 0 ? Value(0) : value;
  }
  void read_lying(Size first, Matrix<T> to) const override {
    for (Size i = 0; i < to.rows; ++i) put(first + i, to.row(i));
  }
  void gather_lying(const std::uint32_t* order, Matrix<T> to) const override {
    for (Size i = 0; i < to.rows; ++i) put(order[i], to.row(i));
  }

  Csr<Index, Value> csr_;
  T scale_;
};

}  // namespace nnext::data
