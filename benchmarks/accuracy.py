"""Wall time of the training until 98% of MNIST's test images are read, with 784-128-10 and the same recipe for all.

Every round has its own start weights, the same for every library; the orders are each library's own. Only the training
is timed, not the test after each epoch.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.cases import Effort, open_task, prove_equal_work
from benchmarks.harness import Pool, compare, measure
from benchmarks.images import mnist
from benchmarks.report import Show
from benchmarks.works import MNIST

TITLE = "time to 98% test accuracy on MNIST"
LIBRARIES = ("nnext", "nnext bytes", "nnext bf16", "NumPy", "scikit-learn", "PyTorch", "PyTorch bf16", "JAX")
QUICK = ("nnext", "nnext bytes", "NumPy", "PyTorch", "JAX")
BATCH, EPOCHS, FIRST_RATE, LAST_RATE = 128, 8, 3e-3, 2e-4  # Adam, its rate falling by the same factor every epoch
GOAL = 0.98


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure with a thread for every CPU."""
    with mnist() as folder:
        if not folder:
            print("left out, there is no MNIST: set NNEXT_DATA to the folder of its four files")
            return []
        net = replace(MNIST, batch=BATCH, optimizer="Adam", lr=FIRST_RATE, images=folder)
        numbers = effort.threads or (os.cpu_count() or 1,)
        return [_measure(pool, net.description(), effort, threads, show) for threads in numbers]


def _measure(pool: Pool, net: dict[str, Any], effort: Effort, threads: int, show: Show) -> dict[str, Any]:
    libraries = QUICK if effort.quick else LIBRARIES
    workers, left_out = open_task(pool.workers(libraries, threads), "training", {"net": net, "shuffle": True})
    prove_equal_work(workers)
    rates = np.geomspace(FIRST_RATE, LAST_RATE, EPOCHS).tolist()
    rounds = 1 if effort.quick else min(effort.rounds, 7)
    taken = measure(workers, rounds, lambda worker, i: worker.ask("until", accuracy=GOAL, rates=rates, seed=i, net=net))
    result = {
        "case": f"784-128-10 b{BATCH} Adam, at most {EPOCHS} epochs",
        "threads": threads,
        "rounds": rounds,
        "left_out": left_out,
        "libraries": {name: _summary(trainings, taken["nnext"]) for name, trainings in taken.items()},
    }
    show(result)
    return result


def _summary(trainings: list[dict[str, Any]], ours: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the times of the trainings that came to the goal, and the ratio to nnext's of those rounds."""
    reached = [
        (t["seconds"], o["seconds"]) for t, o in zip(trainings, ours, strict=True) if t["seconds"] and o["seconds"]
    ]
    summary: dict[str, Any] = {"trainings": trainings, "reached": sum(t["seconds"] is not None for t in trainings)}
    if reached:
        seconds, nnexts = zip(*reached, strict=True)
        summary |= {"median": float(np.median(seconds)), "best": min(seconds), "ratio": compare(seconds, nnexts).row()}
    return summary
