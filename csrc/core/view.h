// A matrix that somebody else owns: data, rows, columns and strides in elements.
#pragma once

#include <type_traits>

#include "core/size.h"

namespace nnext::core {

template <class T>
struct Matrix {
  T* data = nullptr;
  Size rows = 0;
  Size cols = 0;
  Stride row_stride = 0;
  Stride col_stride = 1;

  Matrix() = default;
  Matrix(T* data_, Size rows_, Size cols_) : Matrix(data_, rows_, cols_, static_cast<Stride>(cols_), 1) {}
  Matrix(T* data_, Size rows_, Size cols_, Stride row_stride_, Stride col_stride_)
      : data(data_), rows(rows_), cols(cols_), row_stride(row_stride_), col_stride(col_stride_) {}
  // A view for writing is a view for reading.
  template <class U>
    requires(std::is_same_v<T, const U>)
  Matrix(const Matrix<U>& other) : Matrix(other.data, other.rows, other.cols, other.row_stride, other.col_stride) {}

  T* row(Size i) const { return data + static_cast<Stride>(i) * row_stride; }
  T& operator()(Size i, Size j) const { return row(i)[static_cast<Stride>(j) * col_stride]; }
  Matrix rows_from(Size first, Size count) const { return {row(first), count, cols, row_stride, col_stride}; }
  Matrix block(Size row_, Size col, Size row_count, Size col_count) const {
    return {&(*this)(row_, col), row_count, col_count, row_stride, col_stride};
  }
  Matrix transposed() const { return {data, cols, rows, col_stride, row_stride}; }
  bool contiguous() const { return col_stride == 1 && row_stride == static_cast<Stride>(cols); }
  explicit operator bool() const { return data != nullptr; }
};

template <class T>
using ConstMatrix = Matrix<const T>;

}  // namespace nnext::core
