// Random words, dropout and evenly spread numbers as core/philox.h and plain formulas give them, bit for bit, at every length
// and offset and where counters carry; numbers of the normal distribution within 4 eps of the formula, also for the
// smallest and largest words. In place and between forbidden pages.
#include "checks.h"
#include "core/philox.h"
#include "ops/random.h"

namespace nnext::testing {
namespace {

using core::PhiloxStream;
using core::Purpose;

constexpr std::size_t kLargest = 70;
constexpr double kStd = 0.7;
constexpr Real kPi = 3.141592653589793238462643L;

const PhiloxStream kStreams[] = {{0, Purpose::initialize, 0, 0},
                                 {0x0123456789abcdef, Purpose::dropout, 3, 17},
                                 {~std::uint64_t{0}, Purpose::noise, 0xFFFF, 0xFFFFFFFFFF}};

// Counters that carry into their second word, and past the last, among them.
template <class T>
bool blocks_agree(const kernels::NoiseKernels<T>& kernel) {
  Guarded<std::uint32_t> memory(4 * kLargest);
  for (const PhiloxStream& stream : kStreams)
    for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{7}, (std::uint64_t{1} << 32) - 3,
                                      (std::uint64_t{5} << 32) - 37, ~std::uint64_t{0} - 33})
      for (std::size_t count = 0; count <= kLargest; ++count)
        for (const Side side : {Side::low, Side::high}) {
          std::uint32_t* const words = memory.at(side, 4 * count);
          kernel.blocks(ops::random_stream(stream), index, count, words);
          for (std::size_t i = 0; i < count; ++i)
            if (std::memcmp(words + 4 * i, stream.block(index + i).data(), sizeof(core::PhiloxBlock)) != 0)
              return false;
        }
  return true;
}

// Calls check(n, stream, first) until it fails: numbers that begin within a block, runs of more than the kernels draw at
// once, and counters that carry.
template <class Check>
bool at_all_places(Check check) {
  std::vector<std::size_t> counts{509, 510, 511, 512, 513, 1100};
  for (std::size_t n = 0; n <= kLargest; ++n) counts.push_back(n);
  for (const PhiloxStream& stream : kStreams)
    for (const std::uint64_t base : {std::uint64_t{0}, (std::uint64_t{1} << 34) - 8, ~std::uint64_t{0} - 2000})
      for (std::uint64_t offset = 0; offset < 6; ++offset)
        for (const std::size_t n : counts)
          if (!check(n, stream, base + offset)) return false;
  return true;
}

// NaN must meet NaN; -0 is not 0.
template <class T>
bool same(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

template <class T>
T dropped_out(const kernels::DropoutRule<T>& rule, std::uint32_t word, T x) {
  const bool kept = word >= rule.threshold;
  const T y = x * (kept ? rule.scale : T(0));
  return rule.shifted ? y + (kept ? rule.shift : rule.dropped) : y;
}

template <class T>
bool dropout_agrees(const kernels::NoiseKernels<T>& kernel, const kernels::DropoutRule<T>& rule) {
  Guarded<T> x_memory(1100), y_memory(1100);
  Random random(44);
  return at_all_places([&](std::size_t n, const PhiloxStream& stream, std::uint64_t first) {
    std::vector<T> values = random.uniforms<T>(n, -1, 1);
    if (n > 2) values[0] = std::numeric_limits<T>::quiet_NaN(), values[1] = std::numeric_limits<T>::infinity();
    const Side side = n % 2 == 0 ? Side::low : Side::high;
    const T* x = x_memory.put(side, values);
    T* y = y_memory.at(side, n);
    kernel.dropout(n, rule, ops::random_stream(stream), first, x, y);
    for (std::size_t i = 0; i < n; ++i)
      if (!same(y[i], dropped_out(rule, stream.word(first + i), x[i]))) return false;
    T* again = x_memory.put(side, values);
    kernel.dropout(n, rule, ops::random_stream(stream), first, again, again);
    return std::memcmp(again, y, n * sizeof(T)) == 0;
  });
}
// With thresholds that a signed comparison would take for others, and one that a word just reaches.
template <class T>
bool dropout_agrees(const kernels::NoiseKernels<T>& kernel) {
  for (const std::uint32_t threshold : {0u, 0x33333333u, 0x80000000u, 0xC0000001u, 0xFFFFFFFFu, kStreams[1].word(20)})
    if (!dropout_agrees<T>(kernel, {threshold, T(1.25)})) return false;
  return dropout_agrees<T>(kernel, {0x40000000, T(0.9), true, T(0.3), T(-1.1)});
}

template <class T>
bool uniform_agrees(const kernels::NoiseKernels<T>& kernel) {
  Guarded<T> memory(1100);
  return at_all_places([&](std::size_t n, const PhiloxStream& stream, std::uint64_t first) {
    const double low = -0.3, width = 0.7;
    T* const y = memory.at(n % 2 == 0 ? Side::low : Side::high, n);
    kernel.uniform(n, low, width, ops::random_stream(stream), first, y);
    for (std::size_t i = 0; i < n; ++i)
      if (y[i] != static_cast<T>(low + width * PhiloxStream::uniform_of(stream.word(first + i)))) return false;
    return true;
  });
}

Real uniform(std::uint32_t word) { return (static_cast<Real>(word) + 0.5L) * 0x1p-32L; }
// Of the cosine's argument, so that nothing is lost next to its zeros.
Real normal(std::uint32_t u, std::uint32_t v) {
  return std::sqrt(-2 * std::log(uniform(u))) * std::sin(2 * kPi * (std::fabs(uniform(v) - 0.5L) - 0.25L));
}

template <class T>
double worst_error(const kernels::NoiseKernels<T>& kernel) {
  Guarded<std::uint32_t> words_memory(2 * kLargest);
  Guarded<T> x_memory(kLargest), y_memory(kLargest);
  Random random(43);
  const std::uint32_t special[] = {0,          1,          0x3fffffff, 0x40000000, 0x7fffffff,
                                   0x80000000, 0xbfffffff, 0xc0000000, 0xffffffff};
  double worst = 0;
  for (std::size_t n = 0; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high}) {
      std::vector<std::uint32_t> drawn(2 * n);
      for (std::uint32_t& word : drawn)
        word = random.bits() % 4 == 0 ? special[random.bits() % std::size(special)]
                                      : static_cast<std::uint32_t>(random.bits());
      const std::uint32_t* words = words_memory.put(side, drawn);
      std::vector<T> values = random.uniforms<T>(n, -1, 1);
      if (n > 0) values[n / 2] = std::numeric_limits<T>::quiet_NaN();
      const T* x = x_memory.put(side, values);
      T* y = y_memory.at(side, n);
      kernel.add_normal(n, kStd, words, x, y);
      for (std::size_t i = 0; i < n; ++i) {
        const Real noise = kStd * normal(words[2 * i], words[2 * i + 1]);
        const Real allowed =
            4 * eps<double>() * std::fabs(noise) + eps<T>() * (std::fabs(noise) + std::fabs(x[i] + noise)) / 2;
        worst = std::max(worst, share(y[i], x[i] + noise, allowed * 1.01L));
      }
      T* again = x_memory.put(side, values);
      kernel.add_normal(n, kStd, words, again, again);
      if (std::memcmp(again, y, n * sizeof(T)) != 0) return HUGE_VAL;
    }
  return worst;
}

template <class T>
void check(const Isa& isa, Report& report) {
  const kernels::NoiseKernels<T>& kernel = isa.tables->get<T>().noise;
  report.start(isa, type_name<T>(), "blocks of random words, 0..70");
  report.finish(blocks_agree(kernel));
  report.start(isa, type_name<T>(), "dropout, 0..70 and 509..1100 numbers");
  report.finish(dropout_agrees(kernel));
  report.start(isa, type_name<T>(), "evenly spread, 0..70 and 509..1100 numbers");
  report.finish(uniform_agrees(kernel));
  report.start(isa, type_name<T>(), "normal noise, 0..70 numbers");
  report.finish(worst_error(kernel));
}

}  // namespace

void check_noise(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
