// Assertions about locks, compiled in with NNEXT_CHECKS, since what they find happens once in a million calls. A thread
// that waits for another one while it holds Python's lock waits for ever where that one wants the lock; and so does one
// that asks the host, which may do anything, while it holds a gate closed.
//
// Forks are the exception: they wait with Python's lock held, in the handlers of pthread_atfork. What they wait for
// needs no lock of Python's: a writer within a gate asks no host until it has left it (which is asserted here), an idle
// member of the team goes home at once, and whoever changes a list of networks does nothing else.
#pragma once

namespace nnext::runtime {

#ifdef NNEXT_CHECKS

// Whether this thread may wait for others. Set once by the bindings; null means that every thread always may.
using MayWait = bool (*)();
void set_may_wait(MayWait may_wait);
// At each place that can wait, whether it has to or not. Ends the process where this thread must not.
void require_may_wait(const char* where);
// Likewise where the host is asked, unless this thread has closed no gate.
void require_open_gates(const char* where);
// This thread has closed one gate more, or opened one: 1 or -1.
void count_closed_gates(int change);

#else

inline void require_may_wait(const char*) {}
inline void require_open_gates(const char*) {}
inline void count_closed_gates(int) {}

#endif

}  // namespace nnext::runtime
