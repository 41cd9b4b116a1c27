// Long calls leave Python's lock to others, and end within 0.1 s after Ctrl-C or at exit.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <utility>

namespace nnext::bindings {

namespace py = pybind11;

// Has the core's polls look at Python's signals, and at exit ends the calls of daemon threads: they would otherwise be
// killed while they wait for a lock that will never be free again.
void install_interrupt();

// Counts the calls that are outside Python at present.
class ActiveCall {
 public:
  ActiveCall();
  ~ActiveCall();
  ActiveCall(const ActiveCall&) = delete;
  ActiveCall& operator=(const ActiveCall&) = delete;
};

// Throws what ended a call early: the exception of a signal handler, usually KeyboardInterrupt, or RuntimeError at exit.
[[noreturn]] void throw_interruption();

// Runs f() without Python's lock.
template <class F>
auto without_gil(F&& f) {
  const ActiveCall active;  // ends after the lock is held again
  const py::gil_scoped_release release;
  return std::forward<F>(f)();
}

}  // namespace nnext::bindings
