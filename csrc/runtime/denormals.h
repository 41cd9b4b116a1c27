// Whether numbers too small to be normal count as zero while this lives, whatever the host has set.
//
// They take the CPU up to a hundred times as long. Training makes many: the means of gradients that have become zero
// shrink by a factor a step, such as those of an image's blank border under Adam, and made epochs up to 45 % longer.
//
// Instruction sets differ in it, since it decides bits: baseline keeps such numbers, as any portable build does. On a
// Zen 4 CPU, which is quick with them, that makes baseline's epochs of MNIST (784-128-10, batches of 64) 5 % longer
// with Adam and no longer with SGD.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nnext::runtime {

class FlushDenormals {
 public:
  explicit FlushDenormals(bool flush) { set(flush ? before_ | kFlush : before_ & ~kFlush); }
  ~FlushDenormals() { set(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__x86_64__)
  static constexpr unsigned kFlush = 0x8040;  // MXCSR: results (bit 15) and operands (bit 6)
  static unsigned get() { return _mm_getcsr(); }
  static void set(unsigned state) { _mm_setcsr(state); }
#elif defined(__aarch64__)
  static constexpr unsigned long kFlush = 1ul << 24;  // FPCR: results and operands
  static unsigned long get() {
    unsigned long state;
    asm volatile("mrs %0, fpcr" : "=r"(state));
    return state;
  }
  static void set(unsigned long state) { asm volatile("msr fpcr, %0" : : "r"(state)); }
#else
  static constexpr unsigned kFlush = 0;
  static unsigned get() { return 0; }
  static void set(unsigned) {}
#endif

  decltype(get()) before_ = get();
};

}  // namespace nnext::runtime
