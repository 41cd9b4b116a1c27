// Long calls leave Python's lock to others, and end within 0.1 s after Ctrl-C or at exit. What they compute does not depend
// on the floating-point mode that the host has set; Python's code runs in that.
#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>

#include "core/size.h"
#include "runtime/cancel.h"

namespace nnext::bindings {

namespace py = pybind11;

// Has the core's polls look at Python's signals, and at exit ends the calls of daemon threads: Python would kill those
// in the middle of C++ when they want its lock back.
void install_interrupt();

// A call that must not be cut off at exit: the exit waits for it. At that time SystemExit is thrown instead, which ends
// a thread in silence. CallGuard is for bindings that take arrays: NumPy may give Python's lock away while it copies.
class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
};
using CallGuard = py::call_guard<Call>;

// Python's lock is free for others while this lives.
class WithoutGil {
 public:
  WithoutGil();
  ~WithoutGil();
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  const Call call_;  // until the lock is held again
  PyThreadState* thread_;
};

// Destroys an object of the core, which may wait for others, without Python's lock. At exit, when a thread may not come
// back from there, the object is left to the system.
struct DeleteWithoutGil {
  template <class T>
  void operator()(T* object) const {
    if (must_end()) return;
    const WithoutGil without_gil;
    delete object;
  }

 private:
  static bool must_end();
};

// Throws what ended a call early: the exception of a signal handler, usually KeyboardInterrupt; SystemExit at exit;
// RuntimeError in a child that a handler has forked in the middle of the call.
[[noreturn]] void throw_interruption(const runtime::Cancel& cancel);

// Runs f(cancel) without Python's lock. Throws when the host asked to stop.
template <class F>
void interruptible(F&& f) {
  runtime::Cancel cancel;
  {
    const WithoutGil without_gil;
    const runtime::InFloatMode within(runtime::FloatMode::plain());
    f(cancel);
  }
  if (cancel.requested()) throw_interruption(cancel);
}

// Calls f(first, last) for parts of `count` things, one after the other: all at once, with Python's lock, where they are
// no more than a `part`, which should take less than some milliseconds; else as a long call.
template <class F>
void in_parts(core::Size count, core::Size part, F&& f) {
  if (count <= part) {
    const runtime::InFloatMode within(runtime::FloatMode::plain());
    return f(core::Size{0}, count);
  }
  interruptible([&](runtime::Cancel& cancel) { runtime::for_parts(count, part, &cancel, f); });
}
inline constexpr core::Size kPart = core::Size{1} << 18;  // numbers that something simple is done with

// Between two parts of what needs the lock: other threads get it, and what a signal handler has thrown is thrown.
void give_way();

}  // namespace nnext::bindings
