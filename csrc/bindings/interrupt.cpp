#include "bindings/interrupt.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "runtime/checks.h"

namespace nnext::bindings {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Calls in progress, and how they come back to Python.
struct Calls {
  std::atomic<int> active{0};
  std::atomic<int> returning{0};    // of them, those that wait for Python's lock
  std::atomic<bool> ending{false};  // the interpreter is about to end: calls should
  std::atomic<bool> closed{false};  // it ends now: nobody may wait for the lock any more
  std::atomic<std::thread::id> ender{};

  bool must_end() const { return ending.load() && ender.load() != std::this_thread::get_id(); }
  // Whether a thread may wait for Python's lock; returned() when it has it.
  bool may_return() {
    returning.fetch_add(1);
    if (!closed.load() || ender.load() == std::this_thread::get_id()) return true;
    returning.fetch_sub(1);
    return false;
  }
  void returned() { returning.fetch_sub(1); }
};
Calls calls;

bool should_stop() {
  if (calls.must_end() || !calls.may_return()) return true;
  const py::gil_scoped_acquire gil;
  calls.returned();
  return PyErr_CheckSignals() != 0;  // handlers run in the main thread only; elsewhere this finds nothing
}

// Calls end within 0.1 s. One that does not is left alone, outside Python.
void end_active_calls() {
  calls.ender.store(std::this_thread::get_id());
  calls.ending.store(true);
  const py::gil_scoped_release release;
  const auto limit = Clock::now() + std::chrono::seconds(1);
  while (calls.active.load() > 0 && Clock::now() < limit) std::this_thread::sleep_for(milliseconds(1));
  calls.closed.store(true);
  while (calls.returning.load() > 0) std::this_thread::sleep_for(milliseconds(1));
}

thread_local int own_calls = 0;  // of those in progress

// The calls of other threads do not exist in a forked child: it must not wait for them when it exits.
void after_fork_in_child() { calls.active.store(own_calls), calls.returning.store(0); }

[[noreturn]] void throw_exit() {
  PyErr_SetNone(PyExc_SystemExit);
  throw py::error_already_set();
}

}  // namespace

void install_interrupt() {
  runtime::set_poll(should_stop);
#ifdef NNEXT_CHECKS
  runtime::set_may_wait([] { return Py_IsInitialized() == 0 || PyGILState_Check() == 0; });
#endif
  pthread_atfork(nullptr, nullptr, after_fork_in_child);
  py::module_::import("atexit").attr("register")(py::cpp_function(end_active_calls));
}

Call::Call() {
  if (calls.must_end()) throw_exit();
  calls.active.fetch_add(1), ++own_calls;
}
Call::~Call() { calls.active.fetch_sub(1), --own_calls; }

WithoutGil::WithoutGil() : thread_(PyEval_SaveThread()) {}

WithoutGil::~WithoutGil() {
  while (!calls.may_return()) std::this_thread::sleep_for(milliseconds(100));  // until the process has ended
  PyEval_RestoreThread(thread_);
  calls.returned();
}

void give_way() {
  {
    const WithoutGil others_go_on;
  }
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

bool DeleteWithoutGil::must_end() { return calls.must_end(); }

void throw_interruption(const runtime::Cancel& cancel) {
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  if (cancel.team_lost())
    throw std::runtime_error(
        "[fork] a signal handler has forked in the middle of this call, whose other threads do not exist in the child: "
        "the call is given up there; fork between calls, or let the child's handler end with os._exit");
  throw_exit();
}

}  // namespace nnext::bindings
