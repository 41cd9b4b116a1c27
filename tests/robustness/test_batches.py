"""The thread that reads batches: what its iterator raises arrives, and it ends with the fit, however that ends."""

import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import counters, threads_that_read
from support import ordinary_signals, run_python

X, Y = np.linspace(-1, 1, 80).reshape(20, 4), np.arange(20) % 2


def network() -> nn.Sequential:
    model = nn.MLP([4, 5, 2])
    model.compile("cross_entropy", nn.SGD(lr=0.01))
    return model


class Source:
    """Batches without end, with a note of how many were made and whether the iterator was closed."""

    def __init__(self, fails_at: int | None = None, waits: float = 0.0) -> None:
        self.made, self.closed, self.threads = 0, False, set[int]()
        self.fails_at, self.waits = fails_at, waits

    def __iter__(self) -> Iterator[Any]:
        try:
            while True:
                self.threads.add(threading.get_ident())
                time.sleep(self.waits)
                if self.made == self.fails_at:
                    raise KeyError("no such file")
                self.made += 1
                yield X, Y
        finally:
            self.closed = True

    def assert_at_rest(self) -> None:
        assert self.closed
        assert threads_that_read() == 0
        assert threading.get_ident() not in self.threads
        made = self.made
        time.sleep(0.02)
        assert self.made == made


@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize("once", [False, True])
def test_what_the_iterator_raises_arrives_with_its_traceback(once: bool, at: int) -> None:
    source, model = Source(fails_at=at), network()
    with pytest.raises(KeyError, match="no such file") as caught:
        model.fit(iter(source) if once else source, verbose=0)
    assert "__iter__" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert counters(model)[0] == at
    source.assert_at_rest()
    assert "no such file" not in str(model.fit([(X, Y)], verbose=0).stop_reason)


class Stop(nn.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training = True


class Fail(nn.Callback):
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            raise RuntimeError("enough")


@pytest.mark.parametrize("once", [False, True])
def test_the_thread_ends_with_the_fit(once: bool) -> None:
    """All steps done; stopped by a callback; ended by an exception of one, when an epoch's first batch may be there."""
    for options, error, used, more in (
        ({"epochs": 2}, None, 6, 0),
        ({"epochs": 5, "callbacks": Stop()}, None, 3, 1),
        ({"epochs": 5, "callbacks": Fail()}, RuntimeError, 3, 2),
    ):
        source, model = Source(), network()
        given = iter(source) if once else source
        if error is None:
            model.fit(given, steps_per_epoch=3, verbose=0, **options)
        else:
            with pytest.raises(error):
                model.fit(given, steps_per_epoch=3, verbose=0, **options)
        assert counters(model)[0] == used
        assert used <= source.made <= used + more
        source.assert_at_rest()


def test_no_more_is_read_of_an_iterator_than_a_fit_takes() -> None:
    numbers = iter(range(100))
    given = ((X, (Y + i) % 2) for i in numbers)
    network().fit(given, epochs=3, steps_per_epoch=4, verbose=0)
    assert next(numbers) == 12


def test_one_batch_is_made_ahead_while_a_step_is_done() -> None:
    made_before: list[int] = []
    source = Source()

    def loss(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        deadline = time.monotonic() + 5
        while source.made < len(made_before) + 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.01)
        made_before.append(source.made)
        return 0.0, np.zeros_like(y_pred)

    model = nn.MLP([4, 5, 2])
    model.compile(loss, nn.SGD(lr=0.01))
    model.fit(source, steps_per_epoch=5, verbose=0)
    assert made_before == [2, 3, 4, 5, 5]


def test_ctrl_c_while_the_iterator_is_waited_for() -> None:
    source, model = Source(waits=0.3), network()
    with ordinary_signals():
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            model.fit(source, verbose=0)
        timer.join()
    source.assert_at_rest()
    model.fit([(X, Y)], verbose=0)


def test_validation_and_evaluation_read_in_a_thread_too() -> None:
    model, sources = network(), [Source(fails_at=3) for _ in range(2)]
    with pytest.raises(KeyError):
        model.fit(X, Y, validation_data=sources[0], verbose=0)
    with pytest.raises(KeyError):
        model.evaluate(sources[1])
    for source in sources:
        source.assert_at_rest()


def test_an_iterator_that_never_gives_its_thread_back_is_left_alone() -> None:
    """It is closed when it does."""
    blocked, source = threading.Event(), Source()

    def batches() -> Iterator[Any]:
        try:
            yield X, Y
            blocked.wait()
            yield X, Y
        finally:
            source.closed = True

    class Enough(nn.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            raise RuntimeError("enough")

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="enough"):
        network().fit(batches(), epochs=2, callbacks=Enough(), verbose=0)
    assert time.monotonic() - started < 3
    blocked.set()
    deadline = time.monotonic() + 5
    while threads_that_read() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert source.closed


def test_nothing_keeps_batches_after_the_fit() -> None:
    class Array(np.ndarray):
        alive = 0

        def __array_finalize__(self, other: Any) -> None:
            Array.alive += 1

        def __del__(self) -> None:
            Array.alive -= 1

    model = network()
    model.fit(((X.view(Array), Y) for _ in range(5)), verbose=0)
    gc.collect()
    assert Array.alive == 0


@pytest.mark.skipif(sys.platform != "linux", reason="counts page faults")
def test_steps_of_batches_allocate_nothing_large() -> None:
    """A fresh block of memory is fresh pages: 12 MB an arena, 1 MB of gradients, 2 MB of copies are thousands."""
    result = run_python(
        """
import resource
import numpy as np
import nnext as nn

faults = []
X, y = np.ones((400, 100), "float32"), np.arange(400) % 10

class Batches:
    def __iter__(self):
        for step in range(40):
            faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
            yield X, y

for clip in (None, 1.0):
    model = nn.MLP([100, 2000, 10])
    model.compile("cross_entropy", nn.Adam(), clip_norm=clip)
    model.fit(Batches(), verbose=0)
    print((faults[-1] - faults[8]) / 31)
    faults.clear()
"""
    )
    assert result.returncode == 0, result.stderr
    assert max(map(float, result.stdout.split())) < 300  # the batch and its copy are 80


def test_a_fork_in_the_middle_of_a_fit() -> None:
    """The child has no thread that reads: it is told so, and can fit batches of its own."""
    result = run_python(
        """
import os, sys
import numpy as np
import nnext as nn

X, y = np.ones((20, 4)), np.arange(20) % 2
model = nn.MLP([4, 5, 2])
model.compile("cross_entropy")
child = None

class Fork(nn.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        global child
        if epoch == 1:
            child = os.fork()

def batches():
    while True:
        yield X, y

try:
    model.fit(batches(), epochs=3, steps_per_epoch=4, callbacks=Fork(), verbose=0)
except RuntimeError as error:
    assert child == 0 and "was forked in the middle of a fit" in str(error)
    model.fit(batches(), epochs=2, steps_per_epoch=4, verbose=0)
    os._exit(7)
assert child > 0 and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    )
    assert (result.returncode, result.stderr) == (0, "")
