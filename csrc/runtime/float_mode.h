// How this thread's CPU computes with floating-point numbers: how it rounds, what it traps, and whether numbers too small
// to be normal count as zero. The core computes in modes of its own, so that the host's decides no bit, and the host's is
// in place whenever the host runs.
//
// Subnormal numbers take the CPU up to a hundred times as long. Training makes many: the means of gradients that have
// become zero shrink by a factor a step, such as those of an image's blank border under Adam, and made epochs up to 45 %
// longer. Predictions make few, so they keep them.
//
// Instruction sets differ in it, since it decides bits: baseline keeps such numbers in training, too, as any portable
// build does. On a Zen 4 CPU, which is quick with them, that makes baseline's epochs of MNIST (784-128-10, batches of 64)
// 5 % longer with Adam and no longer with SGD.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nnext::runtime {

class FloatMode {
 public:
  // As every program starts: to nearest, nothing is trapped, subnormal numbers are numbers.
  static FloatMode plain() { return FloatMode(kPlain); }
  // The same with subnormal numbers as zero, as operands and as results.
  static FloatMode flushing() { return FloatMode(kPlain | kFlush); }
  static FloatMode of_thread() { return FloatMode(read() & kControl); }

  bool operator==(const FloatMode&) const = default;

 private:
  friend class InFloatMode;
#if defined(__x86_64__)
  // MXCSR. Its other bits are flags, which a computation raises.
  static constexpr unsigned kControl = 0xFFC0, kPlain = 0x1F80, kFlush = 0x8040;
  static unsigned read() { return _mm_getcsr(); }
  static void write(unsigned state) { _mm_setcsr(state); }
#elif defined(__aarch64__)
  // FPCR, which has no flags.
  static constexpr unsigned long kControl = 0xFFFFFFFF, kPlain = 0, kFlush = 1ul << 24;
  static unsigned long read() {
    unsigned long state;
    asm volatile("mrs %0, fpcr" : "=r"(state));
    return state;
  }
  static void write(unsigned long state) { asm volatile("msr fpcr, %0" : : "r"(state)); }
#else
  static constexpr unsigned kControl = 0, kPlain = 0, kFlush = 0;
  static unsigned read() { return 0; }
  static void write(unsigned) {}
#endif
  using Bits = decltype(read());
  explicit FloatMode(Bits bits) : bits_(bits) {}

  Bits bits_;
};

// A mode is in place while this lives; then what was before, flags included. Where it is in place already this costs a
// read.
class InFloatMode {
 public:
  explicit InFloatMode(FloatMode mode) : changes_((before_ & FloatMode::kControl) != mode.bits_) {
    if (changes_) put((before_ & ~FloatMode::kControl) | mode.bits_);
  }
  ~InFloatMode() {
    if (changes_) put(before_);
  }
  InFloatMode(const InFloatMode&) = delete;
  InFloatMode& operator=(const InFloatMode&) = delete;

 private:
  // Numbers that are read before are not computed with afterwards: compilers know no dependence on the mode.
  static void put(FloatMode::Bits state) {
    asm volatile("" ::: "memory");
    FloatMode::write(state);
    asm volatile("" ::: "memory");
  }

  const FloatMode::Bits before_ = FloatMode::read();
  const bool changes_;
};

}  // namespace nnext::runtime
