// Long calls leave Python's lock to others, and end within 0.1 s after Ctrl-C or at exit.
#pragma once

#include <pybind11/pybind11.h>

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

// Throws what ended a call early: the exception of a signal handler, usually KeyboardInterrupt, or SystemExit at exit.
[[noreturn]] void throw_interruption();

// Runs f(cancel) without Python's lock. Throws when the host argument to stop.
template <class F>
void interruptible(F&& f) {
  runtime::Cancel cancel;
  {
    const WithoutGil without_gil;
    f(cancel);
  }
  if (cancel.requested()) throw_interruption();
}

// For long loops that keep the lock: throws what a signal handler has thrown.
inline void check_signals() {
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

}  // namespace nnext::bindings
