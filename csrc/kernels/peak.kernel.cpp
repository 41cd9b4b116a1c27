// The peak: FMAs on registers alone, as many as the CPU can start. What a kernel reaches is told as a share of it.
//
// An FMA takes 4 to 5 cycles and two can start in each, so 10 chains fill the ports. The accumulators, the factor and
// the addend stay below the number of registers: 32 on avx512 and neon, 16 elsewhere.
#include "kernels/parts.h"
#include "kernels/simd/simd.h"

namespace nnext::kernels::NNEXT_ISA {
namespace {

#if defined(NNEXT_ISA_avx512) || defined(NNEXT_ISA_neon)
constexpr int kChains = 24;
#else
constexpr int kChains = 12;
#endif

template <class T>
T run_chains(size_t steps, T factor, T addend) {
  const Vec<T> f = broadcast(factor), a = broadcast(addend);
  Vec<T> acc[kChains];
#pragma GCC unroll 24
  for (int i = 0; i < kChains; ++i) acc[i] = broadcast(static_cast<T>(i));  // equal chains would become one
  for (; steps > 0; --steps) {
#pragma GCC unroll 24
    for (int i = 0; i < kChains; ++i) acc[i] = fma(acc[i], f, a);
  }
  Vec<T> sum = acc[0];
#pragma GCC unroll 24
  for (int i = 1; i < kChains; ++i) sum += acc[i];
  return sum[0];
}

template <class T>
constexpr PeakKernels<T> make_peak() {
  return {.chains = kChains, .lanes = kLanes<T>, .run = run_chains<T>};
}

}  // namespace

constinit const PeakKernels<float> peak_f32 = make_peak<float>();
constinit const PeakKernels<double> peak_f64 = make_peak<double>();

}  // namespace nnext::kernels::NNEXT_ISA
