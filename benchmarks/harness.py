"""How libraries are compared: one process each, one at work at a time, in rounds of random order.

A benchmark script gives `serve` what a library's process does, and asks the processes through `Worker`. Times of the
same round are taken within seconds of each other, so the ratio of two of them says more than either alone: the
machine's other work, its clock and its temperature are in both. `compare` takes the median of these ratios over the
rounds, with a bootstrap interval.
"""

from __future__ import annotations

import json
import os
import platform
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

THREAD_VARIABLES = ("NNEXT_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Worker:
    """A library's process. It sleeps in a read while others are at work.

    Parameters
    ----------
    command : sequence of str
        What to start; it must call `serve`.
    environment : mapping
        Variables to set for it.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | dict(environment)
        )

    def ask(self, method: str, **arguments: Any) -> Any:
        """Call a method of the object that the process serves; return what it returns."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {self.name} ended with exit code {self._process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


def serve(served: Any) -> None:
    """Answer a parent's calls until it closes the pipe: one line of JSON each way."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between
    for line in sys.stdin:
        method, arguments = json.loads(line)
        answers.write(json.dumps(getattr(served, method)(**arguments)) + "\n")
        answers.flush()


def measure(
    workers: Sequence[Worker], variants: Sequence[Mapping[str, Any]], rounds: int, report: Callable[[int], None]
) -> dict[tuple[str, int], list[float]]:
    """Ask every worker for the time of every variant, once a round.

    Parameters
    ----------
    workers : sequence of Worker
        They serve ``seconds(**variant)``.
    variants : sequence of mapping
        Arguments of `seconds`.
    rounds : int
    report : callable
        Called with the number of rounds done.

    Returns
    -------
    dict
        (worker's name, place of the variant) to one time a round.
    """
    order = random.Random(0)
    jobs = [(worker, i) for worker in workers for i in range(len(variants))]
    times: dict[tuple[str, int], list[float]] = {(worker.name, i): [] for worker, i in jobs}
    for worker, i in jobs:
        worker.ask("seconds", **variants[i])  # warm-up: imports, caches, clock
    for done in range(rounds):
        for worker, i in order.sample(jobs, len(jobs)):
            times[worker.name, i].append(worker.ask("seconds", **variants[i]))
        report(done + 1)
    return times


@dataclass(frozen=True)
class Ratio:
    """A median over the rounds and the 95% interval around it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}, {self.high:.2f}]"


def compare(times: Sequence[float], reference: Sequence[float]) -> Ratio:
    """Return how much longer `times` are than `reference`: the median ratio of the same rounds.

    The interval holds the middle 95% of the medians of 10,000 samples, drawn from the rounds with replacement
    (B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979; the percentile method).
    """
    ratios = np.asarray(times) / np.asarray(reference)
    drawn = np.random.default_rng(0).integers(len(ratios), size=(10_000, len(ratios)))
    low, high = np.quantile(np.median(ratios[drawn], axis=1), [0.025, 0.975])
    return Ratio(float(np.median(ratios)), float(low), float(high))


def machine() -> dict[str, Any]:
    """Return what a figure depends on beside the code."""
    return {
        "cpu": _cpu_name(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"
