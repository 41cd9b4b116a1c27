#include "bindings/interrupt.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "runtime/cancel.h"

namespace nnext::bindings {
namespace {

std::atomic<int> active_calls{0};
std::atomic<bool> exiting{false};

bool should_stop() {
  if (exiting.load()) return true;
  const py::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;  // handlers run in the main thread only; elsewhere this finds nothing
}

void end_active_calls() {
  exiting.store(true);
  const py::gil_scoped_release release;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (active_calls.load() > 0 && std::chrono::steady_clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace

void install_interrupt() {
  runtime::set_poll(should_stop);
  py::module_::import("atexit").attr("register")(py::cpp_function(end_active_calls));
}

ActiveCall::ActiveCall() { active_calls.fetch_add(1); }
ActiveCall::~ActiveCall() { active_calls.fetch_sub(1); }

void throw_interruption() {
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  throw std::runtime_error("the call was ended because the interpreter is shutting down");
}

}  // namespace nnext::bindings
