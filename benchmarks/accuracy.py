"""Wall time of the training until 98% of MNIST's test images are read, with 784-128-10 and the same recipe for all.

Every round has its own start weights, the same for every library; the orders are each library's own. Only the training
is timed, not the test after each epoch. The rate falls on a line from the first epoch to the last one, which is where
the recipes come to 98%, mostly; the ratio is of the rounds in which both libraries did.
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
from benchmarks.works import MNIST, Net

TITLE = "time to 98% test accuracy on MNIST"
LIBRARIES = ("nnext", "nnext bytes", "nnext bf16", "NumPy", "scikit-learn", "PyTorch", "PyTorch bf16", "JAX")
QUICK = ("nnext", "nnext bytes", "NumPy", "PyTorch", "JAX")
GOAL = 0.98
# Network, rate of the last epoch, epochs. The first is the quickest found for nnext; the second takes fewer, larger
# steps, for libraries that pay a price for each step, whatever its size.
RECIPES = (
    (replace(MNIST, batch=32, lr=0.5), 0.01, 5),
    (replace(MNIST, batch=200, optimizer="Adam", lr=0.01), 3e-4, 8),
)


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure with a thread for every CPU."""
    results = []
    with mnist() as folder:
        if not folder:
            print("left out, there is no MNIST: set NNEXT_DATA to the folder of its four files")
            return []
        for threads in effort.threads or (os.cpu_count() or 1,):
            for net, last_rate, epochs in RECIPES[:1] if effort.quick else RECIPES:
                rates = np.linspace(net.lr, last_rate, epochs).tolist()
                results.append(_measure(pool, replace(net, images=folder), rates, effort, threads))
                show(results[-1])
    return results


def _measure(pool: Pool, net: Net, rates: list[float], effort: Effort, threads: int) -> dict[str, Any]:
    libraries, work = QUICK if effort.quick else LIBRARIES, net.description()
    workers, left_out = open_task(pool.workers(libraries, threads), "training", {"net": work, "shuffle": True})
    prove_equal_work(workers)
    rounds = 1 if effort.quick else min(effort.rounds, 7)
    taken = measure(
        workers, rounds, lambda worker, i: worker.ask("until", accuracy=GOAL, rates=rates, seed=i, net=work)
    )
    return {
        "case": f"{net.name}, rate {rates[0]:g} to {rates[-1]:g} in {len(rates)} epochs",
        "threads": threads,
        "rounds": rounds,
        "left_out": left_out,
        "libraries": {name: _summary(trainings, taken["nnext"]) for name, trainings in taken.items()},
    }


def _summary(trainings: list[dict[str, Any]], ours: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the times of the trainings that came to the goal, and the ratio to nnext's in rounds where both did."""
    summary: dict[str, Any] = {"trainings": trainings, "reached": sum(t["seconds"] is not None for t in trainings)}
    pairs = zip((t["seconds"] for t in trainings), (t["seconds"] for t in ours), strict=True)
    if both := [(mine, nnexts) for mine, nnexts in pairs if mine and nnexts]:
        seconds, nnexts = zip(*both, strict=True)
        summary |= {"median": float(np.median(seconds)), "best": min(seconds), "ratio": compare(seconds, nnexts).row()}
    return summary
