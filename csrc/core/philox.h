// Philox4x32-10: random numbers as a function of (key, counter), so any element of any stream can be computed alone, by
// any thread. Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11.
#pragma once

#include <array>
#include <cstdint>

#include "core/size.h"

namespace nnext::core {

using PhiloxBlock = std::array<std::uint32_t, 4>;

inline PhiloxBlock philox4x32(PhiloxBlock counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// What a stream is for. One seed gives 2^64 streams: purpose (8 bits), layer (16 bits), step (40 bits). `data` and
// `validation` are what Python draws: generated data sets, and rows to hold out.
enum class Purpose : std::uint8_t { initialize = 0, dropout = 1, shuffle = 2, data = 3, validation = 4, noise = 5 };

// A stream of 2^66 words of 32 bits. Word i is word i % 4 of the block whose counter is (i / 4, stream).
class PhiloxStream {
 public:
  PhiloxStream(std::uint64_t seed, Purpose purpose, std::uint64_t layer, std::uint64_t step)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        stream_(static_cast<std::uint64_t>(purpose) << 56 | (layer & 0xFFFF) << 40 | (step & 0xFFFFFFFFFF)) {}

  PhiloxBlock block(std::uint64_t index) const {
    return philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                       static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                      key_);
  }
  std::uint32_t word(std::uint64_t i) const { return block(i / 4)[i % 4]; }
  // The middle of one of 2^32 equal parts of (0, 1): never 0, never 1.
  static double uniform_of(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

  const std::array<std::uint32_t, 2>& key() const { return key_; }
  std::uint64_t number() const { return stream_; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t stream_;
};

}  // namespace nnext::core
