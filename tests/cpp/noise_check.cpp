// Numbers of the normal distribution within 4 eps of the formula, also for the smallest and largest words, at every
// length, in place and between forbidden pages.
#include "checks.h"

namespace nnext::testing {
namespace {

constexpr std::size_t kLargest = 70;
constexpr double kStd = 0.7;
constexpr Real kPi = 3.141592653589793238462643L;

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
  report.start(isa, type_name<T>(), "normal noise, 0..70 numbers");
  report.finish(worst_error(isa.tables->get<T>().noise));
}

}  // namespace

void check_noise(const Isa& isa, Report& report) {
  check<float>(isa, report);
  check<double>(isa, report);
}

}  // namespace nnext::testing
