"""Where memory ends: MemoryError and a model that works. And nothing grows."""

import sys

import pytest

from support import run_python

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits the address space"),
    pytest.mark.resources,
]

BEGIN = """
import os, resource, sys
import numpy as np
import internals
import nnext as nn
from internals import state_bytes

def pages(field):
    with open("/proc/self/statm") as file:
        return int(file.read().split()[field]) * resource.getpagesize()

def limit(spare):
    '''Let this process take that many bytes beyond what it has.'''
    resource.setrlimit(resource.RLIMIT_AS, (pages(0) + spare, resource.RLIM_INFINITY))

def refuses(call):
    try:
        call()
    except MemoryError:
        return
    raise AssertionError("no MemoryError")

def compiled(*sizes, **options):
    model = nn.MLP(sizes, **options)
    model.compile(loss="mse", optimizer=nn.Adam(lr=1e-3))
    return model

MB = 2**20
X = np.random.default_rng(0).normal(size=(20_000, 16)).astype("float32")
y = X[:, :1].copy()
FIT = {"batch_size": 64, "verbose": 0}
"""


def run(code: str) -> None:
    result = run_python(BEGIN + code)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_calls_that_need_too_much_raise_memory_error_and_change_nothing(dtype: str) -> None:
    run(
        f"""
model, again = compiled(16, 5000, 1, dtype="{dtype}"), compiled(16, 5000, 1, dtype="{dtype}")
for m in (model, again):
    m.fit(X[:640], y[:640], **FIT)
# The host's loss wants all outputs of a batch at once; one of nnext's has it go in parts.
own = nn.MLP([16, 5000, 1], dtype="{dtype}")
own.compile(loss=lambda y_pred, y: (0.0, y_pred - y), optimizer="sgd")
before, before_own = state_bytes(model), state_bytes(own)
expected = model.predict(X[:100])
limit(300 * MB)
huge = np.broadcast_to(X[:1], (100_000_000, 16))
refuses(lambda: model.predict(huge))
refuses(lambda: model.fit(huge, np.broadcast_to(y[:1], (len(huge), 1)), **FIT))
refuses(lambda: own.fit(X, y, batch_size=len(X), verbose=0))
assert state_bytes(own) == before_own
refuses(lambda: model.loss_and_grads(X, y))
refuses(lambda: model.forward(X))
refuses(lambda: nn.functional.matmul(X, X, transpose_b=True))
refuses(lambda: nn.functional.matmul(huge, X[:16, :16]))
refuses(lambda: nn.functional.tanh(np.broadcast_to(X[0], (10_000_000, 16))))
refuses(lambda: nn.MLP([30_000, 30_000, 1]))
refuses(lambda: nn.Sequential(nn.Linear(2**31 - 1, 2**31 - 1)))
assert state_bytes(model) == before
assert (model.predict(X[:100]) == expected).all()
internals.set_counters(again, internals.counters(model))  # epochs that had begun
model.fit(X[:640], y[:640], **FIT)
again.fit(X[:640], y[:640], **FIT)
assert state_bytes(model) == state_bytes(again)
"""
    )


def test_a_batch_of_all_rows_takes_the_memory_of_a_part() -> None:
    """At once its hidden layer alone would take 400 MB, forward and again backward."""
    run("""
model = compiled(16, 5000, 1)
model.fit(X[:640], y[:640], **FIT)
limit(100 * MB)
model.fit(X, y, batch_size=len(X), verbose=0)
""")


def test_a_fit_that_runs_out_of_memory_between_two_steps() -> None:
    """The memory goes to a callback: whatever a fit still has to allocate, it stays at a whole step."""
    run(
        """
class Take(nn.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.before = state_bytes(self.model)
            limit(0)

model, take = compiled(16, 3000, 3000, 1), Take()
try:
    model.fit(X[:256], y[:256], epochs=3, callbacks=[take], **FIT)
except MemoryError:
    pass
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
steps, _, optimizer_steps = internals.counters(model)
assert steps == optimizer_steps
assert (state_bytes(model) == take.before) == (steps == 4)
model.fit(X[:256], y[:256], **FIT)
"""
    )


def test_without_memory_for_threads_fewer_do_the_work() -> None:
    run(
        """
internals.fix_team()
nn.runtime.set_num_threads(1)
model = nn.MLP([16, 256, 16])
out, expected = np.empty((len(X), 16), "float32"), model.predict(X)
internals.fix_team()
nn.runtime.set_num_threads(64)  # whose stacks take 8 MB each
limit(20 * MB)
model.predict(X, out=out)
assert (out == expected).all()
assert 1 <= len(os.listdir("/proc/self/task")) < 64
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
import signal
assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
"""
    )


# ---- What is left of many calls -------------------------------------------------------------------------------------


def test_nothing_grows() -> None:
    result = run_python("import soak, sys; sys.exit(soak.main(0.1))")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize(
    "left",
    [
        "b'0123456789abcdef' * 2**14",
        "os.dup(1)",
        "threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "[[] for _ in range(20)]",
    ],
)
def test_what_ten_calls_leave_is_noticed(left: str) -> None:
    result = run_python(f"""
import os, sys, threading, soak
kept, own_loop = [], soak.Calls.own_loop
def leaving(self):
    own_loop(self)
    kept.append({left})
soak.Calls.own_loop = leaving
sys.exit(soak.main(0.01))
""")
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1].startswith("soak: ")
