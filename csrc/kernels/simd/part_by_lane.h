// Partial vectors where the instruction set has no masked loads: lane by lane.
#pragma once

namespace nnext::kernels::NNEXT_ISA {
namespace {

// The first `count` lanes of a vector, 0 <= count <= kLanes<T>.
template <class T>
struct Part {
  int count;
  explicit Part(int count_) : count(count_) {}
};

// Lanes outside the part read as zero, and their memory is not touched.
template <class T>
inline Vec<T> load(Part<T> part, const T* p) {
  Vec<T> v{};
  for (int i = 0; i < kLanes<T>; ++i)
    if (i < part.count) v[i] = p[i];
  return v;
}
template <class T>
inline void store(Part<T> part, T* p, Vec<T> v) {
  for (int i = 0; i < kLanes<T>; ++i)
    if (i < part.count) p[i] = v[i];
}
// v in the lanes of the part, `other` outside.
template <class T>
inline Vec<T> keep(Part<T> part, Vec<T> v, Vec<T> other) {
  for (int i = 0; i < kLanes<T>; ++i)
    if (i < part.count) other[i] = v[i];
  return other;
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
