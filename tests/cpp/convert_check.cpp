// Stored numbers as the network reads them: T(x) * scale to the bit on every instruction set, baseline too.
#include "checks.h"

namespace nnext::testing {
namespace {

using kernels::NumberType;

// Random bits: NaN, infinities, denormals and what is infinite or zero as T are among them.
template <class From>
std::vector<From> stored(Random& random, std::size_t n) {
  std::vector<From> x(n);
  for (From& value : x) {
    const std::uint64_t bits = random.bits();
    std::memcpy(&value, &bits, sizeof value);
    if (std::is_floating_point_v<From> && bits % 4 == 0) value = static_cast<From>(random.uniform(-1e3, 1e3));
  }
  return x;
}

template <class T>
bool same_number(T got, T want) {
  return std::isnan(want) ? std::isnan(got) : std::memcmp(&got, &want, sizeof want) == 0;
}

template <class T, class From>
bool matches(const kernels::ConvertKernels<T>& kernels, NumberType type) {
  constexpr std::size_t kLargest = 150, kStep = 3;
  const auto convert = kernels.from[static_cast<int>(type)];
  const auto convert_apart = kernels.apart_from[static_cast<int>(type)];
  Guarded<From> from(kLargest);
  Guarded<T> to(kLargest), apart(kLargest * kStep);
  Random random(8);
  for (std::size_t n = 0; n <= kLargest; ++n)
    for (Side side : {Side::low, Side::high})
      for (const T scale : {T(1), T(1) / T(255), T(-3e5)}) {
        const From* x = from.put(side, stored<From>(random, n));
        T *y = to.at(side, n), *between = apart.put(side, std::vector<T>(n * kStep, T(7)));
        convert(n, x, scale, y);
        convert_apart(n, x, scale, between, kStep);
        for (std::size_t i = 0; i < n * kStep; ++i) {
          const T want = static_cast<T>(static_cast<T>(x[i / kStep]) * scale);
          if (i % kStep == 0 && !same_number(y[i / kStep], want)) return false;
          if (!same_number(between[i], i % kStep == 0 ? want : T(7))) return false;
        }
      }
  return true;
}

template <class T>
void check(const Isa& isa, Report& report) {
  const auto& kernels = isa.tables->get<T>().convert;
  const auto run = [&](const char* name, bool good) {
    report.start(isa, type_name<T>(), name);
    report.finish(good ? 0 : HUGE_VAL);
  };
  run("from float32", matches<T, float>(kernels, NumberType::float32));
  run("from float64", matches<T, double>(kernels, NumberType::float64));
  run("from uint8", matches<T, std::uint8_t>(kernels, NumberType::uint8));
}

}  // namespace

void check_convert(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
