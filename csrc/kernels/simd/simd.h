// Vectors of the instruction set that this file is being compiled for. Only kernel sources include it.
//
// A kernel source is compiled once per instruction set. Everything here and in the sources lives in
// nnext::kernels::<isa>::(anonymous), so no function has external linkage: the linker can never take the
// AVX-512 copy of an inline function for the baseline path. tools/check_kernel_symbols.py fails the
// build's tests where that is broken.
//
// Arithmetic and comparisons are the operators of GCC's and Clang's vector extensions; what those lack (fma, sqrt,
// partial loads and stores) is in one small file per instruction set. All are exactly rounded, so every instruction set
// with a hardware FMA gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(NNEXT_ISA_avx512)
#define NNEXT_VECTOR_BYTES 64
#elif defined(NNEXT_ISA_avx2)
#define NNEXT_VECTOR_BYTES 32
#else
#define NNEXT_VECTOR_BYTES 16
#endif

namespace nnext::kernels::NNEXT_ISA {
namespace {

using std::ptrdiff_t;
using std::size_t;

using VecF = float __attribute__((vector_size(NNEXT_VECTOR_BYTES)));
using VecD = double __attribute__((vector_size(NNEXT_VECTOR_BYTES)));
using VecI = std::int32_t __attribute__((vector_size(NNEXT_VECTOR_BYTES)));
using VecL = std::int64_t __attribute__((vector_size(NNEXT_VECTOR_BYTES)));
using VecU = std::uint64_t __attribute__((vector_size(NNEXT_VECTOR_BYTES)));

template <class T>
struct VecTraits;
template <>
struct VecTraits<float> {
  using Vec = VecF;
  using Int = VecI;
  using Bits = std::int32_t;
};
template <>
struct VecTraits<double> {
  using Vec = VecD;
  using Int = VecL;
  using Bits = std::int64_t;
};

template <class T>
using Vec = typename VecTraits<T>::Vec;  // of floating-point numbers
template <class T>
using Int = typename VecTraits<T>::Int;  // of integers of the same width; comparisons give 0 or -1 in each lane
template <class T>
using Bits = typename VecTraits<T>::Bits;

template <class T>
inline constexpr int kLanes = NNEXT_VECTOR_BYTES / static_cast<int>(sizeof(T));

template <class T>
inline constexpr T kInfinity = static_cast<T>(__builtin_inf());

template <class T>
inline Vec<T> broadcast(T x) {
  return x - Vec<T>{};  // x - 0 keeps every x, -0 and NaN included, and compiles to one broadcast
}
template <class T>
inline Vec<T> load(const T* p) {
  Vec<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
inline void store(T* p, Vec<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}
template <class T>
inline Int<T> as_bits(Vec<T> v) {
  return (Int<T>)v;
}
template <class T>
inline Vec<T> from_bits(Int<T> v) {
  return (Vec<T>)v;
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA

#if defined(NNEXT_ISA_avx512)
#include "kernels/simd/avx512.h"
#elif defined(NNEXT_ISA_avx2)
#include "kernels/simd/avx2.h"
#elif defined(NNEXT_ISA_neon)
#include "kernels/simd/neon.h"
#else
#include "kernels/simd/baseline.h"
#endif

namespace nnext::kernels::NNEXT_ISA {
namespace {

template <class T>
inline Vec<T> select(Int<T> mask, Vec<T> yes, Vec<T> no) {
  return mask ? yes : no;
}

// Calls body(i, load, store) over n elements: whole vectors, then one partial one. `Load` and `Store` hide which it is:
//   for_each_vector<T>(n, [&](size_t i, auto part) { store(part, y + i, f(load(part, x + i))); });
struct Whole {};
template <class T>
inline Vec<T> load(Whole, const T* p) {
  return load(p);
}
template <class T>
inline void store(Whole, T* p, Vec<T> v) {
  store<T>(p, v);
}
template <class T, class Body>
inline void for_each_vector(size_t n, Body body) {
  size_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) body(i, Whole{});
  if (i < n) body(i, Part<T>(static_cast<int>(n - i)));
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
