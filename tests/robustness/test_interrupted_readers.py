"""Ctrl-C within any public call that only reads: the model is as it was, and a file of it goes on with the same bits.

An interrupt at each line of nnext's Python that a call comes through, and signals at random moments, which reach the
core too. tests/robustness/test_interrupt.py has how soon long calls end.
"""

import io
import os
import pathlib
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from support import assert_same_bits, unchanged

matplotlib = pytest.importorskip("matplotlib", reason="pictures are among the calls")
matplotlib.use("Agg")

ROWS = 40
X = np.random.default_rng(0).normal(size=(ROWS, 4))
LABELS = np.arange(ROWS) % 3
PACKAGE = str(pathlib.Path(nn.__file__).parent)
AT_MOST = 25  # interrupts of a call, spread over its lines; but of what replaces a file at each
WRITES = {"save"}


class World:
    """A trained model with its files; what is called gets it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.model = nn.Sequential([nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3)], seed=1)
        self.model.compile("cross_entropy", nn.Adam(), metrics=["accuracy", "f1"])
        self.model.fit(X, LABELS, epochs=2, verbose=0)
        self.folder, self.path = folder, folder / "model.safetensors"
        self.model.save(self.path)
        self.scores = self.model.predict_proba(X)
        _, self.ax = axes()


def axes() -> Any:
    from matplotlib.figure import Figure

    figure = Figure()
    return figure, figure.subplots()


CALLS: dict[str, Callable[[World], Any]] = {
    "predict": lambda w: w.model.predict(X),
    "predict one row": lambda w: w.model.predict(X[0]),
    "predict_proba": lambda w: w.model.predict_proba(X),
    "predict_classes": lambda w: w.model.predict_classes(X),
    "compile_inference": lambda w: w.model.compile_inference()(X[0]),
    "evaluate": lambda w: w.model.evaluate(X, LABELS),
    "test_on_batch": lambda w: w.model.test_on_batch(X, LABELS),
    "forward": lambda w: w.model.forward(X, training=False),
    "activations": lambda w: w.model.activations(X),
    "input_gradient": lambda w: w.model.input_gradient(X, LABELS),
    "jacobian": lambda w: w.model.jacobian(X[:2]),
    "gradcheck": lambda w: nn.gradcheck(w.model, X[:3], LABELS[:3]),
    "summary": lambda w: w.model.summary(),
    "repr": lambda w: repr(w.model),
    "count_params": lambda w: w.model.count_params(),
    "state_dict": lambda w: w.model.state_dict(),
    "slice": lambda w: w.model[1:3],
    "save": lambda w: w.model.save(w.path),
    "save to a file object": lambda w: w.model.save(io.BytesIO()),
    "load": lambda w: nn.load(w.path),
    "metrics": lambda w: (nn.metrics.f1(LABELS, w.scores), nn.metrics.confusion_matrix(LABELS, w.scores)),
    "functional": lambda w: (nn.functional.matmul(X, X, transpose_b=True), nn.functional.gelu(X)),
    "reference": lambda w: nn.reference.Network.from_model(w.model).predict(X),
    "history": lambda w: w.model.history.to_csv(w.folder / "history.csv"),  # type: ignore[union-attr]
    "learning_curves": lambda w: nn.plot.learning_curves(w.model.history, ax=w.ax),  # type: ignore[arg-type]
    "plot.confusion_matrix": lambda w: nn.plot.confusion_matrix(w.model, X, LABELS, ax=w.ax),
    "network_diagram": lambda w: nn.plot.network_diagram(w.model, ax=w.ax),
    "datasets": lambda w: (nn.datasets.make_moons(9), nn.datasets.load_digits()),
    "train_test_split": lambda w: nn.datasets.train_test_split(X, LABELS),
    "show_config": lambda w: nn.runtime.show_config(),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("interrupted"))


def check(world: World, expected: bytes) -> None:
    """Assert that the model is saved, loaded and trained as one that nothing has interrupted."""
    file = io.BytesIO()
    world.model.save(file)
    assert file.getvalue() == expected
    again = nn.load(world.path)  # the file too is whole, whatever an interrupted save has done
    assert_same_bits(training_state(again), training_state(world.model))


def bytes_of(model: nn.Sequential) -> bytes:
    file = io.BytesIO()
    model.save(file)
    return file.getvalue()


# ---- At each line ---------------------------------------------------------------------------------------------------


class Tracer:
    """Notes the lines of nnext that are come through, and interrupts at one of them, counted from 0."""

    def __init__(self, stop: int | None = None) -> None:
        self.stop, self.lines = stop, list[tuple[str, int]]()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> "Tracer | None":
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            self.lines.append((frame.f_code.co_filename, frame.f_lineno))
            if len(self.lines) - 1 == self.stop:
                raise KeyboardInterrupt
        return self


def trace(call: Callable[[], Any], stop: int | None = None) -> list[tuple[str, int]]:
    """Call, with an interrupt at that line, and return the lines until then."""
    tracer, before = Tracer(stop), sys.gettrace()
    sys.settrace(tracer)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return tracer.lines


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of an interrupt in a __del__
@pytest.mark.parametrize("name", CALLS)
def test_an_interrupt_at_any_line(name: str, world: World) -> None:
    call, expected = lambda: CALLS[name](world), bytes_of(world.model)
    call()  # what is imported once is there
    lines = trace(call)
    first = sorted({line: i for i, line in reversed(list(enumerate(lines)))}.values())  # of each line the first time
    assert first
    with unchanged(world.model):
        for stop in first if name in WRITES else first[:: -(-len(first) // AT_MOST)]:
            assert len(trace(call, stop)) > stop
            check(world, expected)
    call()


# ---- At random moments ----------------------------------------------------------------------------------------------


@pytest.fixture
def interrupts() -> Iterator[Callable[[float], threading.Timer]]:
    """Return what lets a signal come after so long."""
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    yield lambda seconds: threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGUSR1))
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_signals_at_random_moments(interrupts: Callable[[float], threading.Timer], world: World) -> None:
    rng, expected, interrupted = random.Random(0), bytes_of(world.model), 0
    for name in [*CALLS, *CALLS]:
        timer = interrupts(rng.uniform(0, 0.01))
        try:
            timer.start()
            while timer.is_alive():
                CALLS[name](world)
        except KeyboardInterrupt:
            interrupted += 1
        timer.join()
        check(world, expected)
    assert interrupted > len(CALLS)  # others come just after the call
