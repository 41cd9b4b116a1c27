"""Signals that a process was started with: nnext takes them as they are, and the tests take none as they are."""

import signal

import pytest

from support import ordinary_signals, run_python

# The first line ignores or blocks; nnext comes after it, as in a process that inherits this.
TRAIN = """
import os, signal, threading, time
SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGALRM}
DEAF
handlers, mask = [signal.getsignal(s) for s in SIGNALS], signal.pthread_sigmask(signal.SIG_BLOCK, ())

import internals
import numpy as np
import nnext as nn

internals.fix_team()
nn.runtime.set_num_threads(2)
X = np.random.default_rng(0).random((4096, 256), dtype="float32")

def trained():
    model = nn.MLP([256, 128, 1])
    model.compile(loss="mse")
    history = model.fit(X, X[:, :1], epochs=5, batch_size=64, verbose=0)
    assert history.stop_reason == "all epochs done" and len(history.epoch) == 5
    return internals.state_bytes(model)

done = threading.Event()

def send():
    while not done.wait(0.001):
        for number in SIGNALS:
            os.kill(os.getpid(), number)

sender = threading.Thread(target=send)
sender.start()
loud = trained()
done.set()
sender.join()
assert trained() == loud
assert handlers == [signal.getsignal(s) for s in SIGNALS]
assert mask == signal.pthread_sigmask(signal.SIG_BLOCK, ())
print("to the end")
"""


@pytest.mark.parametrize(
    "deaf",
    [
        pytest.param("for number in SIGNALS: signal.signal(number, signal.SIG_IGN)", id="ignored"),
        pytest.param("signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)", id="blocked"),
    ],
)
def test_a_process_that_hears_no_signal_trains_to_the_end(deaf: str) -> None:
    result = run_python(TRAIN.replace("DEAF", deaf))
    assert (result.returncode, result.stdout, result.stderr) == (0, "to the end\n", "")


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1]
REPORT = """
import signal
numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1]
print([signal.getsignal(number) is signal.SIG_IGN for number in numbers], signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_signals_arrive_in_tests_and_their_processes_whatever_started_them() -> None:
    handlers = [signal.signal(number, signal.SIG_IGN) for number in SIGNALS]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        deaf = run_python(REPORT).stdout
        with ordinary_signals():
            hearing = run_python(REPORT).stdout
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert run_python(REPORT).stdout == deaf
    finally:
        for number, handler in zip(SIGNALS, handlers, strict=True):
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    assert deaf.startswith("[True, True, True, True] {<Signals.SIG")
    assert hearing == "[False, False, False, False] set()\n"
