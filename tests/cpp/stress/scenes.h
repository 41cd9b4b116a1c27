// The scenes of the stress.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

#include "crowd.h"

namespace nnext::testing {

// How long each takes, at least.
inline constexpr std::chrono::milliseconds kScene{400};

// The course of a case among observers, on a team that changes, stopped at random moments and gone back: all that is
// seen is at whole steps, and in the end the bits are those of a quiet course.
void whole_steps(const Case& what, const Record& record, Random& random);

// Threads that set parameters, compile, freeze and train at a rate of 0 beside each other: one at a time, and each
// prediction is that of one set of parameters or of the other.
void settings(Random& random);

// Slices of one network come and go, train, freeze and predict beside each other and the whole, at a rate of 0.
void slices();

// Forks while a course runs, by another thread and by what the training thread polls, in the midst of its work: the child
// has the network at a whole step, predicts, and trains it on.
inline constexpr bool kForks =
#if defined(__SANITIZE_ADDRESS__)
    false;  // whose runtime does not work in the child of a process with threads
#else
    true;
#endif
void forks(const Case& what, const Record& record, Random& random);

// What needs the right to train, which another thread may have.
template <class F>
void try_to(F f) {
  try {
    f();
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).find("being trained already") == std::string::npos) throw;
  }
}

}  // namespace nnext::testing
