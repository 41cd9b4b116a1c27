// Random words and what is made of them: what dropout leaves, numbers evenly spread, and such of the normal distribution,
// sqrt(-2 log u) cos(2 pi v) for u, v evenly spread over (0, 1). G. E. P. Box and M. E. Muller, Ann. Math. Stat. 29 (1958).
//
// The C library's log and cos may round otherwise on another CPU; these give the same bits on all that have an FMA, since
// they are the kernels'. In double for float, too: a float next to 1 would leave few digits of the logarithm.
#include "kernels/parts.h"
#include "kernels/simd/math.h"
#include "kernels/simd/philox.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

// sin(2 pi s) = s P(s^2) for |s| <= 1/4, to 2^-61; tools/fit_polynomials.py.
constexpr double kSine[] = {6.2831853071795865,  -41.341702240399756,  81.605249276073406,
                            -76.705859752798491, 42.058693923784926,   -15.094641620501055,
                            3.8199270503350225,  -0.71772357892956162, 0.10085632649043385};

// cos(2 pi v) = sin(2 pi s) with s = |v - 1/2| - 1/4, which is exact. At most 4 eps |z| off.
inline Vec<double> normal(Vec<double> u, Vec<double> v) {
  const Vec<double> s = abs<double>(v - 0.5) - 0.25;
  return sqrt(-2 * log<double>(u)) * (s * polynomial<double>(kSine, s * s));
}

// The middles of those of 2^32 equal parts of (0, 1) that the words tell: 2^52 + word has the word in its last bits.
inline Vec<double> uniform(VecU words) {
  constexpr std::uint64_t kBits = 0x4330000000000000;  // of 2^52
  return (from_bits<double>((Int<double>)(words | kBits)) - (0x1p52 - 0.5)) * 0x1p-32;
}

void blocks(const RandomStream& stream, std::uint64_t index, size_t count, std::uint32_t* words) {
  for (; count >= kBlocksAtOnce; count -= kBlocksAtOnce, index += kBlocksAtOnce, words += kWordsAtOnce)
    philox(stream, index, words);
  if (count == 0) return;
  std::uint32_t last[kWordsAtOnce];
  philox(stream, index, last);
  __builtin_memcpy(words, last, count * 4 * sizeof last[0]);
}

// A word for each lane of a vector of T, and as many numbers as a vector of doubles has lanes.
template <class T>
struct Lanes;
template <>
struct Lanes<float> {
  using Words = std::uint32_t __attribute__((vector_size(NNEXT_VECTOR_BYTES)));
  using OfDoubles = float __attribute__((vector_size(NNEXT_VECTOR_BYTES / 2)));
};
template <>
struct Lanes<double> {
  using Words = std::uint32_t __attribute__((vector_size(NNEXT_VECTOR_BYTES / 2)));
  using OfDoubles = VecD;
};
template <class T>
inline typename Lanes<T>::Words load_words(const std::uint32_t* words) {
  typename Lanes<T>::Words v;
  __builtin_memcpy(&v, words, sizeof v);
  return v;
}

template <class T, bool kShifted>
void drop(size_t n, const DropoutRule<T>& rule, const std::uint32_t* words, const T* x, T* y) {
  const Vec<T> scale = broadcast(rule.scale), shift = broadcast(rule.shift), dropped = broadcast(rule.dropped);
  for_each_vector<T>(n, [&](size_t i, auto part) {
    const Int<T> kept = __builtin_convertvector(load_words<T>(words + i) >= rule.threshold, Int<T>);
    Vec<T> value = load(part, x + i) * select<T>(kept, scale, Vec<T>{});
    if constexpr (kShifted) value += select<T>(kept, shift, dropped);
    store(part, y + i, value);
  });
}
template <class T>
void dropout(size_t n, const DropoutRule<T>& rule, const RandomStream& stream, std::uint64_t first, const T* x, T* y) {
  const auto of_run = rule.shifted ? drop<T, true> : drop<T, false>;
  for_each_run(n, stream, first, [&](size_t begin, size_t count, const std::uint32_t* words) {
    of_run(count, rule, words, x + begin, y + begin);
  });
}

template <class T>
void uniform_numbers(size_t n, double low, double width, const RandomStream& stream, std::uint64_t first, T* y) {
  using Numbers = typename Lanes<T>::OfDoubles;
  constexpr size_t kAtOnce = kLanes<double>;
  for_each_run(n, stream, first, [&](size_t begin, size_t count, const std::uint32_t* words) {
    T* const to = y + begin;
    const auto at = [&](size_t i) {
      const VecU some = __builtin_convertvector(load_words<double>(words + i), VecU);
      return __builtin_convertvector(low + width * uniform(some), Numbers);
    };
    size_t i = 0;
    for (; i + kAtOnce <= count; i += kAtOnce) {
      const Numbers numbers = at(i);
      __builtin_memcpy(to + i, &numbers, sizeof numbers);
    }
    const Numbers last = at(i);
    for (; i < count; ++i) to[i] = last[i % kAtOnce];
  });
}

// Two words a lane: the first is the lower half of 64 bits.
template <class T>
void add_normal(size_t n, double std, const std::uint32_t* words, const T* x, T* y) {
  constexpr size_t kAtOnce = kLanes<double>;
  const auto add = [&](size_t i, size_t count) {
    VecU pairs{};
    __builtin_memcpy(&pairs, words + 2 * i, count * sizeof pairs[0]);
    const Vec<double> z = normal(uniform(pairs & kLowerHalf), uniform(pairs >> 32));
    const auto noise = __builtin_convertvector(std * z, typename Lanes<T>::OfDoubles);
    for (size_t lane = 0; lane < count; ++lane) y[i + lane] = x[i + lane] + noise[lane];
  };
  size_t i = 0;
  for (; i + kAtOnce <= n; i += kAtOnce) add(i, kAtOnce);
  if (i < n) add(i, n - i);
}

template <class T>
constexpr NoiseKernels<T> make_noise() {
  return {.blocks = blocks, .dropout = dropout<T>, .uniform = uniform_numbers<T>, .add_normal = add_normal<T>};
}

}  // namespace

constinit const NoiseKernels<float> noise_f32 = make_noise<float>();
constinit const NoiseKernels<double> noise_f64 = make_noise<double>();

}  // namespace nnext::kernels::NNEXT_ISA
