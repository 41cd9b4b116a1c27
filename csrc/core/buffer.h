// The only allocation of numbers in the core: zero-filled, aligned to a cache line, so that vectors never straddle two.
#pragma once

#include <algorithm>
#include <new>
#include <utility>

#include "core/size.h"

namespace nnext::core {

inline constexpr Size kCacheLine = 64;

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(Size count) : size_(count) {
    if (count == 0) return;
    data_ = static_cast<T*>(::operator new(checked_product(count, sizeof(T)), std::align_val_t{kCacheLine}));
    std::fill_n(data_, count, T{});
  }
  Buffer(const Buffer& other) : Buffer(other.size_) { std::copy_n(other.data_, size_, data_); }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() { ::operator delete(data_, std::align_val_t{kCacheLine}); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  Size size() const { return size_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](Size i) { return data_[i]; }
  const T& operator[](Size i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  Size size_ = 0;
};

}  // namespace nnext::core
