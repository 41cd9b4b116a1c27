"""A library's process: ``python -m benchmarks.worker NAME THREADS`` answers calls, one line of JSON each way."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.libraries import LIBRARIES
from benchmarks.libraries.base import Call, LeftOutError, Library, Training
from benchmarks.works import Net, relative_error, true_outputs


class Calls:
    """A call that is timed by repeating it. `check` gives its result and how far that is from the truth."""

    units = 1

    def __init__(self, call: Call, error: Callable[[np.ndarray], float]) -> None:
        self.call, self.error = call, error
        # A library may bring its own loop, where an object of its own has to stay open around all calls.
        self.run = getattr(call, "run", self._run)

    def _run(self, n: int) -> None:
        call = self.call
        for _ in range(n):
            call()

    def check(self) -> dict[str, float]:
        return {"error": self.error(np.asarray(self.call()))}

    def prepare(self) -> None:
        pass


class Epochs:
    """A training that is timed by whole epochs from the start weights; a unit is a step."""

    def __init__(self, training: Training, net: Net, steps: int, shuffle: bool) -> None:
        self.training, self.shuffle, self.units = training, shuffle, steps
        self.weights = net.weights()

    def run(self, n: int) -> None:
        self.training.train(n, self.shuffle)

    def check(self) -> dict[str, float]:
        self.prepare()
        return {"loss": self.training.first_loss()}

    def prepare(self) -> None:
        self.training.restart(self.weights)


class Desk:
    """What can be asked of a library's process. One task is open at a time."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.task: Any = None
        self.repeats = 1

    def about(self) -> str:
        return self.library.about()

    def ceiling(self, dtype: str) -> float:
        """Return the FMA loop's FLOP/s; nnext has it."""
        rate: float = self.library.ceiling(dtype)  # type: ignore[attr-defined]
        return rate

    def open(self, kind: str, **work: Any) -> str:
        """Make a task ready; return why the library has none, empty when it has."""
        self.task = None  # its memory first
        try:
            self.task = getattr(self, f"_open_{kind}")(**work)
        except LeftOutError as left_out:
            return str(left_out)
        return ""

    def _open_matmul(self, m: int, k: int, n: int, dtype: str) -> Calls:
        random = np.random.default_rng(0)
        a, b = (random.standard_normal(shape, dtype=np.dtype(dtype).type) for shape in ((m, k), (k, n)))
        vector = random.standard_normal(n)  # Freivalds' check: (a @ b) @ v == a @ (b @ v), without a second product
        return Calls(self.library.matmul(a, b), lambda c: relative_error(c @ vector, a @ (b @ vector)))

    def _open_activation(self, name: str, m: int, n: int) -> Calls:
        x = 2 * np.random.default_rng(0).standard_normal((m, n), dtype=np.float32)
        return Calls(self.library.activation(name, x), lambda y: relative_error(y, _TRUE[name](x.astype(np.float64))))

    def _open_prediction(self, net: Mapping[str, Any]) -> Calls:
        work = Net.of(net)
        x, weights = work.samples().X[:1].copy(), work.weights()
        truth = true_outputs(work, x, weights)
        return Calls(self.library.prediction(work, weights, x), lambda y: relative_error(y.reshape(1, -1), truth))

    def _open_training(self, net: Mapping[str, Any], shuffle: bool) -> Epochs:
        work = Net.of(net)
        samples = work.samples()
        steps = -(-len(samples.y) // work.batch)
        return Epochs(self.library.training(work, samples), work, steps, shuffle)

    def check(self) -> dict[str, float]:
        """Do the work once; return its loss or error, and the tolerance of the library's setting."""
        return self.task.check() | {"tolerance": self.library.tolerance}

    def calibrate(self, budget: float) -> None:
        """Choose how often to repeat the task, so that a measurement takes about `budget` seconds. Warms it up too."""
        self.repeats = 1
        while (taken := self._time()) < budget / 2:
            self.repeats = int(self.repeats * min(10.0, max(2.0, budget / taken)))

    def seconds(self) -> float:
        """Return the time of one unit of the task."""
        return self._time() / self.repeats / self.task.units

    def _time(self) -> float:
        self.task.prepare()
        started = time.perf_counter()
        self.task.run(self.repeats)
        return time.perf_counter() - started

    def until(self, accuracy: float, rates: list[float], seed: int, net: Mapping[str, Any]) -> dict[str, Any]:
        """Train with a rate for each epoch until the test images are read that well; only training is timed.

        Returns
        -------
        dict
            seconds, or None when the last epoch came first; epochs; accuracy.
        """
        work, training = Net.of(net), self.task.training
        X = np.load(f"{work.images}/X_test.npy").astype(np.float32) / np.float32(255)
        y = np.load(f"{work.images}/y_test.npy")
        training.restart(work.weights(seed))
        seconds, reached, epochs = 0.0, 0.0, 0
        while epochs < len(rates) and reached < accuracy:
            started = time.perf_counter()
            training.set_rate(rates[epochs])
            training.train(1, True)
            seconds += time.perf_counter() - started
            reached = float((training.outputs(X).argmax(axis=1) == y).mean())
            epochs += 1
        return {"seconds": seconds if reached >= accuracy else None, "epochs": epochs, "accuracy": reached}

    def memory(self, net: Mapping[str, Any]) -> dict[str, float]:
        """Return the MB that the process has before a training, and at most in it; its samples are part of it."""
        self.task = None
        _forget_peak()
        before = _status("VmRSS")
        self.task = self._open_training(net, True)
        self.task.prepare()
        self.task.run(1)
        return {"before": before, "peak": _status("VmHWM")}


_TRUE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True),
}


def _forget_peak() -> None:
    """Have Linux take today's memory for the largest so far."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _status(field: str) -> float:
    """Return a field of Linux's /proc/self/status in MB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Answer a parent's calls until it closes the pipe."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between
    name, threads = sys.argv[1:]
    desk = Desk(LIBRARIES[name].load(int(threads)))
    for line in sys.stdin:
        method, arguments = json.loads(line)
        answers.write(json.dumps(getattr(desk, method)(**arguments)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
