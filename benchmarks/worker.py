"""A library's process: ``python -m benchmarks.worker NAME THREADS`` answers calls, one line of JSON each way."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.libraries import LIBRARIES
from benchmarks.libraries.base import LeftOutError, Library
from benchmarks.status import forget_peak, megabytes
from benchmarks.tasks import OPEN
from benchmarks.works import Net


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
            self.task = OPEN[kind](self.library, **work)
        except LeftOutError as left_out:
            return str(left_out)
        except Exception as failed:  # a peer that breaks, torch.compile without a compiler say, must not end the others
            lines = str(failed).splitlines() or [""]
            return f"it failed with {type(failed).__name__}: {lines[0]}"
        return ""

    def check(self) -> dict[str, float]:
        """Do the work once; return its loss or error, and the tolerance of the library's setting."""
        proof: dict[str, float] = self.task.check()
        return proof | {"tolerance": self.library.tolerance}

    def bits(self) -> str:
        """Return a hash of what the task's work gives; for builds of one library, as others round in their own way."""
        bits: str = self.task.bits()
        return bits

    def calibrate(self, budget: float) -> int:
        """Choose how often to repeat the task, so that a measurement takes about `budget` seconds. Warms it up too."""
        self.repeats = 1
        while (taken := self._time()) < budget / 2:
            self.repeats = int(self.repeats * min(10.0, max(2.0, budget / taken)))
        return self.repeats

    def repeat(self, times: int) -> None:
        """Repeat the task as often as another process does."""
        self.repeats = times

    def seconds(self) -> float:
        """Return the time of one unit of the task."""
        units: int = self.task.units
        return self._time() / self.repeats / units

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
        forget_peak()
        before = megabytes("VmRSS")
        self.task = OPEN["training"](self.library, net, True)
        self.task.prepare()
        self.task.run(1)
        return {"before": before, "peak": megabytes("VmHWM")}


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
