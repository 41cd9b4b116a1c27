"""How a training step grows: with the width, the depth, the batch and the threads, and with a second process beside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.cases import Case, Effort, open_task, run_cases, training_case
from benchmarks.harness import Pool, Worker, compare, measure
from benchmarks.report import Show
from benchmarks.works import MNIST, Net

TITLE = "scaling of a training step, samples in order"
LIBRARIES = ("nnext", "NumPy", "PyTorch", "JAX")
WIDTHS: tuple[int, ...] = (16, 64, 256, 1024)
DEPTHS: tuple[int, ...] = (1, 2, 4, 8)
BATCHES: tuple[int, ...] = (1, 8, 32, 64, 512, 4096)


def cases(effort: Effort) -> Iterator[Case]:
    """Yield the cases of one process at a time."""
    cpus = os.cpu_count() or 1
    for threads in effort.threads or (1,):
        for width in _some(WIDTHS, effort):
            yield _case("width", width, Net((784, width, 10), 64, batches=20), threads)
        for depth in _some(DEPTHS, effort):
            yield _case("depth", depth, Net((784, *[128] * depth, 10), 64, batches=20), threads)
        for batch in _some(BATCHES, effort):
            yield _case("batch", batch, Net((784, 128, 10), batch, batches=max(4, 1280 // batch)), threads)
    for threads in effort.threads or sorted({1, cpus, 8} if not effort.quick else {cpus}):
        yield _case("threads", threads, replace(MNIST, batches=20), threads)


def _some(sizes: tuple[int, ...], effort: Effort) -> tuple[int, ...]:
    return sizes[-1:] if effort.quick else sizes


def _case(what: str, size: int, net: Net, threads: int) -> Case:
    return training_case(net, LIBRARIES, threads, shuffle=False, name=f"{what} {size}: {net.name}")


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure all cases, then two processes at once."""
    results = run_cases(pool, cases(effort), effort, show)
    return [*results, two_at_once(pool, effort, show)]


def two_at_once(pool: Pool, effort: Effort, show: Show) -> dict[str, Any]:
    """Train in two processes at once, each with a thread for every CPU, and compare with one process alone."""
    threads = os.cpu_count() or 1
    case = _case("two processes at once", 2, MNIST, threads)
    workers = pool.workers(("nnext", "NumPy", "PyTorch", "JAX"), threads)
    others = {worker.name: Worker(worker.name, threads) for worker in workers}
    try:
        open_task(list(others.values()), case.kind, case.work)
        workers, left_out = open_task(workers, case.kind, case.work)
        for worker in [*workers, *others.values()]:
            worker.ask("calibrate", budget=effort.budget)
        taken = measure(workers, effort.rounds, lambda worker, _: _alone_and_both(worker, others[worker.name]))
    finally:
        for other in others.values():
            other.close()
    slowdowns = {
        name: compare([both for _, both in pairs], [alone for alone, _ in pairs]).row() for name, pairs in taken.items()
    }
    result = {
        "case": f"two processes at once, {threads} threads each: {MNIST.name}",
        "times slower": slowdowns,
        "left_out": left_out,
    }
    show(result)
    return result


def _alone_and_both(worker: Worker, other: Worker) -> tuple[float, float]:
    """Return the time of a step alone, and the longer of two at once."""
    alone = worker.ask("seconds")
    for each in (worker, other):
        each.send("seconds")
    return alone, max(each.receive() for each in (worker, other))
