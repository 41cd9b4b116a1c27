// Philox4x32-10 by vectors: the words of core/philox.h, kLanes<double> blocks a vector.
//
// The four words of a block are in four vectors, a lane of 64 bits each, whose upper halves may hold anything: a product
// takes the lower ones and gives both words that come of it, the one where it is wanted, the other by a shift. Ten
// rounds wait for each other, so several vectors of blocks are worked on side by side.
#pragma once

#include "kernels/random_stream.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

inline constexpr int kBlocksOfVector = kLanes<double>;
// As many as fit the registers with the constants: 16 of 32 in avx512, 8 of 16 elsewhere.
inline constexpr int kVectorsAtOnce = NNEXT_VECTOR_BYTES == 64 ? 4 : 2;
inline constexpr size_t kBlocksAtOnce = kVectorsAtOnce * kBlocksOfVector;
inline constexpr size_t kWordsAtOnce = 4 * kBlocksAtOnce;

inline constexpr std::uint64_t kLowerHalf = 0xFFFFFFFF;
inline VecU all(std::uint64_t value) { return value - VecU{}; }

// first[0], second[0], first[1], second[1], ...
inline void store_in_turn(std::uint32_t* to, VecU first, VecU second) {
  constexpr int kHalf = kBlocksOfVector / 2;
  VecU low{}, high{};
#if defined(__clang__)  // it has no __builtin_shuffle, and makes one shuffle of the loop
  for (int lane = 0; lane < kBlocksOfVector; ++lane) {
    low[lane] = (lane % 2 == 0 ? first : second)[lane / 2];
    high[lane] = (lane % 2 == 0 ? first : second)[kHalf + lane / 2];
  }
#else
  VecU lanes{};
  for (int lane = 0; lane < kBlocksOfVector; ++lane)
    lanes[lane] = static_cast<std::uint64_t>(lane / 2 + lane % 2 * kBlocksOfVector);
  low = __builtin_shuffle(first, second, lanes);
  high = __builtin_shuffle(first, second, lanes + kHalf);
#endif
  __builtin_memcpy(to, &low, sizeof low);
  __builtin_memcpy(to + 2 * kBlocksOfVector, &high, sizeof high);
}

// A vector of blocks on its way through the rounds.
struct PhiloxState {
  VecU words[4];

  // Begins with the counters index, index + 1, ...
  void begin(std::uint64_t index, std::uint64_t stream) {
    VecU counter{};
    for (int lane = 0; lane < kBlocksOfVector; ++lane) counter[lane] = static_cast<std::uint64_t>(lane);
    counter += index;
    words[0] = counter, words[1] = counter >> 32, words[2] = all(stream), words[3] = all(stream >> 32);
  }
  void round(VecU key0, VecU key1) {
    const VecU p0 = product_of_lower_halves(all(0xD2511F53), words[0]);
    const VecU p1 = product_of_lower_halves(all(0xCD9E8D57), words[2]);
    words[0] = (p1 >> 32) ^ words[1] ^ key0, words[1] = p1;
    words[2] = (p0 >> 32) ^ words[3] ^ key1, words[3] = p0;
  }
  void store(std::uint32_t* to) const {
    store_in_turn(to, (words[0] & kLowerHalf) | words[1] << 32, (words[2] & kLowerHalf) | words[3] << 32);
  }
};

// The kWordsAtOnce words from block `index` on.
inline void philox(const RandomStream& of, std::uint64_t index, std::uint32_t* to) {
  PhiloxState states[kVectorsAtOnce];
#pragma GCC unroll 4
  for (size_t i = 0; i < kVectorsAtOnce; ++i) states[i].begin(index + i * kBlocksOfVector, of.number);
  std::uint64_t key0 = of.key[0], key1 = of.key[1];  // their upper halves do not matter either
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9, key1 += 0xBB67AE85) {
#pragma GCC unroll 4
    for (PhiloxState& state : states) state.round(all(key0), all(key1));
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < kVectorsAtOnce; ++i) states[i].store(to + 4 * i * kBlocksOfVector);
}

// Calls body(begin, count, words) for runs of numbers i < n, begin <= i < begin + count, whose words, of which number i
// has word first + i of the stream, fit L1. A vector beyond the words of a run may be read.
template <class Body>
inline void for_each_run(size_t n, const RandomStream& stream, std::uint64_t first, Body body) {
  constexpr size_t kAtOnce = 512;
  static_assert(kAtOnce % kWordsAtOnce == 0);
  std::uint32_t words[kAtOnce + kLanes<float>] = {};
  for (size_t begin = 0; begin < n;) {
    const size_t skipped = (first + begin) % 4, left = n - begin;
    const size_t count = left < kAtOnce - skipped ? left : kAtOnce - skipped;
    for (size_t i = 0; i < skipped + count; i += kWordsAtOnce) philox(stream, (first + begin + i) / 4, words + i);
    body(begin, count, words + skipped);
    begin += count;
  }
}

}  // namespace
}  // namespace nnext::kernels::NNEXT_ISA
