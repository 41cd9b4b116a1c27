// The only allocation of numbers in the core: zero-filled, aligned to a cache line, so that vectors never straddle two.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include "core/size.h"

namespace nnext::core {

inline constexpr Size kCacheLine = 64;

// Asks the system for pages of 2 MB behind what has so many bytes, as NumPy does: a pass over 64 MB of weights in pages of
// 4 KB spends a tenth of a step on finding them. No matter if it has none.
inline void ask_for_huge_pages(void* block, Size bytes) {
  constexpr Size kWorthIt = Size{1} << 22, kPage = 4096;
  if (bytes < kWorthIt) return;
#if defined(MADV_HUGEPAGE)
  const auto begin = reinterpret_cast<std::uintptr_t>(block);
  const Size before = (kPage - begin % kPage) % kPage;
  madvise(static_cast<char*>(block) + before, (bytes - before) / kPage * kPage, MADV_HUGEPAGE);
#endif
}

template <class T>
class Buffer {
 public:
  Buffer() = default;
  // Large ones are fresh pages of the system, zero already: they cost time when they are first used, not here.
  explicit Buffer(Size count) : size_(count) {
    if (count == 0) return;
    const Size bytes = checked_product(count, sizeof(T));
    block_ = std::calloc(bytes + kCacheLine, 1);
    if (block_ == nullptr) throw std::bad_alloc();
    ask_for_huge_pages(block_, bytes);
    Size space = bytes + kCacheLine;
    void* aligned = block_;
    data_ = static_cast<T*>(std::align(kCacheLine, bytes, aligned, space));
  }
  Buffer(const Buffer& other) : Buffer(other.size_) { std::copy_n(other.data_, size_, data_); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() { std::free(block_); }

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
  void swap(Buffer& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  void* block_ = nullptr;  // what was allocated
  T* data_ = nullptr;
  Size size_ = 0;
};

}  // namespace nnext::core
