"""How libraries are compared: one process each, one at work at a time, in rounds of random order.

A benchmark asks the processes of a `Pool` through `Worker`. Times of the same round are taken within seconds of each
other, so the ratio of two of them says more than either alone: the machine's other work, its clock and its temperature
are in both. `compare` takes the median of these ratios over the rounds, with a bootstrap interval.
"""

from __future__ import annotations

import json
import os
import platform
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.libraries import LIBRARIES

ROOT = Path(__file__).parents[1]
THREAD_VARIABLES = (
    "NNEXT_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "PJRT_NPROC",
    "NPROC",
)
IDLE = 0.05  # seconds in which the threads of the library that was at work before stop to spin


def environment(threads: int) -> dict[str, str]:
    """Return the variables of a process that finds these benchmarks and uses so many threads (0: its own choice)."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    inherited = {key: value for key, value in os.environ.items() if key not in THREAD_VARIABLES}
    return inherited | (dict.fromkeys(THREAD_VARIABLES, str(threads)) if threads else {}) | {"PYTHONPATH": path}


class Worker:
    """A library's process. It sleeps in a read while others are at work.

    Parameters
    ----------
    name : str
        In the results.
    threads : int
        That it may use; 0: as many as the library takes when nobody tells it.
    library : str
        One of `LIBRARIES`; empty when the name is one.
    python : str
        The interpreter that has the library.
    """

    def __init__(self, name: str, threads: int, library: str = "", python: str = sys.executable) -> None:
        self.name, self.threads = name, threads
        library = library or name
        command = [python, "-m", "benchmarks.worker", library, str(threads)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(threads) | dict(LIBRARIES[library].environment),
        )

    def send(self, method: str, **arguments: Any) -> None:
        """Call a method of the worker's desk; `receive` waits for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([method, arguments]) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Any:
        """Return the answer."""
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {self.name} ended with exit code {self._process.wait()}")
        return json.loads(answer)

    def ask(self, method: str, **arguments: Any) -> Any:
        """Call a method of the worker's desk; return what it returns."""
        self.send(method, **arguments)
        return self.receive()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


class Pool:
    """The processes of all libraries, started when they are wanted and kept for the next benchmark.

    Parameters
    ----------
    only : sequence of str
        The libraries that take part; all when empty. nnext is always one of them.
    """

    def __init__(self, only: Sequence[str] = ()) -> None:
        self._only = only
        self._workers: dict[tuple[str, int], Worker] = {}
        self._missing: dict[str, str] = {}

    def installed(self, names: Sequence[str]) -> list[str]:
        """Return those of the named libraries that can take part; say once why another one cannot."""
        wanted = [name for name in names if not self._only or name in ("nnext", *self._only)]
        for name in wanted:
            if name not in self._missing:
                self._missing[name] = LIBRARIES[name].missing()
                if self._missing[name]:
                    print(f"{name}: left out, {self._missing[name]}")
        return [name for name in wanted if not self._missing[name]]

    def workers(self, names: Sequence[str], threads: int) -> list[Worker]:
        """Return the processes of those that can take part."""
        return [self.worker(name, threads) for name in self.installed(names)]

    def worker(self, name: str, threads: int, library: str = "") -> Worker:
        """Return one process, as `Worker` is made."""
        if (name, threads) not in self._workers:
            worker = self._workers[name, threads] = Worker(name, threads, library)
            worker.ask("about")  # it is ready, and the next one starts on a quiet machine
        return self._workers[name, threads]

    def about(self) -> dict[str, str]:
        """Return version and settings of all libraries that took part."""
        return {name: worker.ask("about") for (name, _), worker in self._workers.items()}

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def measure(
    workers: Sequence[Worker], rounds: int, take: Callable[[Worker, int], Any], seed: int = 0
) -> dict[str, list[Any]]:
    """Take a measurement of every worker once a round, in random order.

    Parameters
    ----------
    workers : sequence of Worker
    rounds : int
    take : callable
        ``take(worker, round)``.
    seed : int
        Of the order.

    Returns
    -------
    dict
        Worker's name to one result a round.
    """
    order = random.Random(seed)
    taken: dict[str, list[Any]] = {worker.name: [] for worker in workers}
    for i in range(rounds):
        for worker in order.sample(list(workers), len(workers)):
            if worker.threads != 1:
                time.sleep(IDLE)
            taken[worker.name].append(take(worker, i))
    return taken


@dataclass(frozen=True)
class Ratio:
    """A median over the rounds and the 95% interval around it."""

    median: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        spec = spec or ".2f"
        return f"{self.median:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self) -> str:
        return format(self)

    def row(self) -> list[float]:
        """Return what `Ratio` is made from again, for JSON."""
        return [self.median, self.low, self.high]


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
