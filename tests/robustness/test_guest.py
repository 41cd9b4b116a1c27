"""nnext as a guest of a process: forks, other threads, Ctrl-C and exit in the middle of a fit.

What may hang or die runs in a process of its own, with a time limit far above what it needs.
"""

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import nnext as nn
from support import environment

LIMIT = 60  # seconds; each script takes about one

SETUP = """
    import os, signal, sys, threading, time
    import internals
    import numpy as np
    import nnext as nn

    X = np.random.default_rng(0).random((4096, 256), dtype="float32")
    y = np.arange(4096) % 10

    def trained(epochs=1, verbose=0):
        model = nn.MLP([256, 128, 10])
        model.compile(loss="cross_entropy", optimizer=nn.Adam(1e-3))
        if epochs:
            model.fit(X, y, epochs=epochs, batch_size=64, verbose=verbose)
        return model

    def bits(model):
        return b"".join(array.tobytes() for array in model.state_dict().values())
"""


def run(script: str) -> str:
    """Run a script after SETUP with two threads; return what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SETUP) + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=environment(NNEXT_NUM_THREADS="2"),
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.resources
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_children_train_with_the_same_bits():
    printed = run("""
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forks with threads: they are meant
        expected = bits(trained())  # the team has started
        busy = threading.Thread(target=trained, kwargs={"epochs": 20})
        for attempt in range(10):
            if attempt == 5:
                busy.start()  # from here on forks find the team at work
            child = os.fork()
            if child == 0:
                os._exit(0 if bits(trained()) == expected else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        busy.join()
        print(bits(trained()) == expected)
    """)
    assert printed == "True\n"


def test_ctrl_c_ends_a_fit_at_a_whole_step():
    printed = run("""
        model = trained(epochs=0)
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        started = time.monotonic()
        try:
            model.fit(X, y, epochs=100_000, batch_size=64, verbose=0)  # hours
        except KeyboardInterrupt:
            steps = internals.counters(model)[0]
        again, done = trained(epochs=0), 0
        while done < steps:  # the same steps, one by one
            order = internals.begin_epoch(again, len(X), True)
            for rows in np.split(order, len(X) // 64)[: steps - done]:
                again.loss_and_grads(X[rows], y[rows])
                again.step()
                done += 1
        print(steps > 0, time.monotonic() - started < 30, bits(model) == bits(again))
    """)
    assert printed == "True True True\n"


def test_ctrl_c_ends_a_product_of_large_matrices():
    printed = run("""
        a = np.ones((12_000, 12_000), dtype="float32")
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            for _ in range(1000):
                nn.functional.matmul(a, a)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert printed == "interrupted\n"


def test_exit_during_a_fit_in_a_daemon_thread():
    printed = run("""
        model = trained(epochs=0)
        fit = {"epochs": 1_000_000, "batch_size": 64, "verbose": 0}
        threading.Thread(target=model.fit, args=(X, y), kwargs=fit, daemon=True).start()
        while internals.counters(model)[0] < 10:
            time.sleep(0.01)
        print("leaving")
    """)
    assert printed == "leaving\n"


def test_threads_predict_the_same_bits_while_another_trains():
    X = np.random.default_rng(0).random((512, 64), dtype=np.float32)
    still, training = nn.MLP([64, 64, 10]), nn.MLP([64, 64, 10])
    training.compile(loss="cross_entropy", optimizer=nn.SGD(0.01))
    expected = still.predict(X).tobytes()
    seen: list[bool] = []

    def predict() -> None:
        for _ in range(50):
            seen.append(still.predict(X).tobytes() == expected and bool(np.isfinite(training.predict(X)).all()))

    threads = [threading.Thread(target=predict) for _ in range(8)]
    for thread in threads:
        thread.start()
    training.fit(X, np.arange(512) % 10, epochs=50, verbose=0)
    for thread in threads:
        thread.join()
    assert len(seen) == 400
    assert all(seen)


def test_a_second_fit_at_the_same_time_is_an_error():
    class FitAgain(nn.Callback):
        def on_epoch_end(self, epoch, logs=None):
            with pytest.raises(RuntimeError, match=r"\[fit\] this model is being trained already"):
                self.model.fit(X, y, verbose=0)

    X, y = np.ones((4, 2), dtype=np.float32), [0, 1, 0, 1]
    model = nn.MLP([2, 2])
    model.compile(loss="cross_entropy")
    model.fit(X, y, epochs=2, callbacks=[FitAgain()], verbose=0)
    model.fit(X, y, verbose=0)
