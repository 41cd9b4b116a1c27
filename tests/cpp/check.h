// What the kernel checks share: one line a check, errors as shares of what is allowed, buffers between forbidden pages.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "kernels/dispatch.h"

namespace nnext::testing {

using kernels::Isa;
using Real = long double;  // what results are compared with

// Prints one line a check and counts what fails. `current` names the check that runs, for the handler of SIGSEGV.
class Report {
 public:
  void start(const Isa& isa, const char* type, const std::string& what) {
    std::snprintf(current, sizeof current, "%s %s %s", isa.name, type, what.c_str());
  }
  // `worst` is the largest error as a share of what is allowed.
  void finish(double worst) {
    const bool good = worst <= 1;
    failures_ += good ? 0 : 1;
    std::printf("%s %s: %.3g of what is allowed\n", good ? "ok  " : "FAIL", current, worst);
  }
  void finish(bool holds) {
    failures_ += holds ? 0 : 1;
    std::printf("%s %s\n", holds ? "ok  " : "FAIL", current);
  }
  int failures() const { return failures_; }

  static inline char current[200] = "before the first check";

 private:
  int failures_ = 0;
};

template <class T>
constexpr const char* type_name() {
  return sizeof(T) == 4 ? "f32" : "f64";
}
template <class T>
constexpr Real eps() {
  return std::numeric_limits<T>::epsilon();
}

// |got - want| as a share of `allowed`; a NaN must meet a NaN, an infinity itself.
inline double share(Real got, Real want, Real allowed) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : HUGE_VAL;
  if (got == want) return 0;
  const Real error = std::fabs(got - want) / allowed;
  return std::isnan(error) ? HUGE_VAL : static_cast<double>(error);
}

// |got - want| in units of T's last place at `want`, which has bits to spare. Infinity counts as 2^emax.
template <class T, class Wide>
double ulps(T got, Wide want) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(want)) return std::isnan(got) ? 0 : HUGE_VAL;
  if (std::isinf(got) && static_cast<T>(want) == got) return 0;
  if (std::isnan(got) || std::isinf(want)) return HUGE_VAL;
  int exponent = Limits::min_exponent;
  if (want != 0) std::frexp(want, &exponent);
  const Wide unit = std::ldexp(Wide(1), std::max(exponent, Limits::min_exponent) - Limits::digits);
  const Wide value = std::isinf(got) ? std::copysign(std::ldexp(Wide(1), Limits::max_exponent), Wide(got)) : Wide(got);
  return static_cast<double>(std::fabs(value - want) / unit);
}

// SplitMix64 (S. Vigna): the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  double uniform(double low, double high) { return low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53); }
  template <class T>
  std::vector<T> uniforms(std::size_t n, double low, double high) {
    std::vector<T> values(n);
    for (T& value : values) value = static_cast<T>(uniform(low, high));
    return values;
  }

 private:
  std::uint64_t state_;
};

// Memory between two pages that may not be touched. Values are laid against the one or the other; against the upper one
// they are misaligned for vectors unless their number happens to suit.
enum class Side { low, high };
template <class T>
class Guarded {
 public:
  explicit Guarded(std::size_t capacity) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    size_ = (capacity * sizeof(T) + page - 1) / page * page;
    map_size_ = size_ + 2 * page;
    map_ = static_cast<char*>(mmap(nullptr, map_size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (map_ == MAP_FAILED || mprotect(map_ + page, size_, PROT_READ | PROT_WRITE) != 0) std::abort();
    data_ = map_ + page;
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(map_, map_size_); }

  T* at(Side side, std::size_t n) {
    return reinterpret_cast<T*>(side == Side::low ? data_ : data_ + size_ - n * sizeof(T));
  }
  // rows x columns of value(i, j), `stride` apart, with NaN between the rows.
  template <class Value>
  T* lay(Side side, std::size_t rows, std::size_t columns, std::size_t stride, Value value) {
    const std::size_t n = rows == 0 || columns == 0 ? 0 : (rows - 1) * stride + columns;
    T* to = at(side, n);
    std::fill(to, to + n, std::numeric_limits<T>::quiet_NaN());
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < columns; ++j) to[i * stride + j] = value(i, j);
    return to;
  }
  T* put(Side side, const std::vector<T>& values) {
    return std::copy(values.begin(), values.end(), at(side, values.size())) - values.size();
  }

 private:
  std::size_t size_, map_size_;
  char *map_, *data_;
};

}  // namespace nnext::testing
