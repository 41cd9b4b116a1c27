"""A process ends when it wants to, whatever its daemon threads compute: soon, in silence, with its own exit code."""

import time

import pytest

from support import run_python

BEGIN = """
import sys, threading, time
import internals
import numpy as np
import nnext as nn

internals.fix_team()
nn.runtime.set_num_threads(2)
X = np.random.default_rng(0).normal(size=(6400, 64)).astype("float32")
y = X[:, :1]

def compiled(*sizes):
    model = nn.MLP(sizes)
    model.compile(loss="mse", optimizer=nn.SGD(lr=1e-4))
    return model

def daemon(f):
    threading.Thread(target=f, daemon=True).start()
"""
END = """
time.sleep(0.2)
print(time.time(), flush=True)
"""


def seconds_to_exit(code: str, returncode: int = 0) -> float:
    """Run code whose last print is the time when it wants to end; return how long the process lived on."""
    result = run_python(BEGIN + code)
    ended = time.time()
    assert result.stderr == ""
    assert result.returncode == returncode
    return ended - float(result.stdout.splitlines()[-1])


# The promise is 2 s; a busy machine gets twice that.
SOON = 4.0


@pytest.mark.parametrize(
    "work",
    [
        pytest.param("model = compiled(64, 256, 1)\nwork = lambda: model.fit(X, y, epochs=10**6, verbose=0)", id="fit"),
        pytest.param(
            "model = compiled(64, 8, 1)\nwork = lambda: model.fit(X, y, epochs=10**6, verbose=0)", id="small fit"
        ),
        pytest.param(
            "model = compiled(64, 2048, 2048, 1)\nwork = lambda: model.fit(X, y, batch_size=6400, epochs=9, verbose=0)",
            id="long steps",
        ),
        pytest.param(
            "model, Z = nn.MLP([1, 2048, 2048, 1]), np.zeros((200000, 1))\nwork = lambda: model.predict(Z)",
            id="predict",
        ),
        pytest.param(
            "a = np.broadcast_to(X[:1, :1], (20000, 20000))\n"
            "work = lambda: nn.functional.matmul(a, np.broadcast_to(X[:1], (20000, 64)))",
            id="matmul",
        ),
    ],
)
def test_in_the_middle_of_a_daemon_threads_call(work: str) -> None:
    assert seconds_to_exit(f"{work}\ndaemon(work)\n{END}") < SOON


def test_while_many_daemon_threads_predict_without_end() -> None:
    work = """
model = nn.MLP([64, 256, 1])
def work():
    while True:
        model.predict(X[:300])
for _ in range(8):
    daemon(work)
"""
    assert seconds_to_exit(work + END) < SOON


def test_while_a_daemon_thread_ignores_every_exception() -> None:
    work = """
model = compiled(64, 64, 1)
def work():
    while True:
        try:
            model.fit(X, y, epochs=100, verbose=0)
        except BaseException:
            pass
for _ in range(2):
    daemon(work)
"""
    assert seconds_to_exit(work + END) < SOON


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.01, 0.05])
def test_at_other_moments(moment: float) -> None:
    work = (
        f"model = compiled(64, 64, 1)\ndaemon(lambda: model.fit(X, y, epochs=10**6, verbose=0))\ntime.sleep({moment})\n"
    )
    for _ in range(3):
        assert seconds_to_exit(work + "print(time.time(), flush=True)") < SOON


def test_with_an_exit_code() -> None:
    work = "model = compiled(64, 64, 1)\ndaemon(lambda: model.fit(X, y, epochs=10**6, verbose=0))\n"
    assert seconds_to_exit(work + END + "sys.exit(7)", returncode=7) < SOON


def test_sys_exit_in_a_callback() -> None:
    code = """
class Exit(nn.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(time.time(), flush=True)
        sys.exit(5)
compiled(64, 256, 1).fit(X, y, epochs=100, verbose=0, callbacks=[Exit()])
"""
    assert seconds_to_exit(code, returncode=5) < SOON


def test_with_an_idle_team() -> None:
    assert seconds_to_exit("nn.MLP([64, 256, 1]).predict(X)\nprint(time.time(), flush=True)") < SOON


def test_predictions_of_the_thread_that_ends_the_process_work_to_the_end() -> None:
    """Also after nnext's own part of the exit, which comes before that of what was registered earlier."""
    code = """
import atexit, time
import numpy as np

def last():
    assert (model.predict(X) == expected).all()
    print(time.time(), flush=True)

atexit.register(last)
import nnext as nn
X = np.ones((20000, 64), "float32")
model = nn.MLP([64, 256, 1])
expected = model.predict(X)

class Late:
    def __del__(self):
        assert (model.predict(X) == expected).all()
late = Late()
"""
    result = run_python(code)
    assert result.returncode == 0
    assert result.stderr == ""
