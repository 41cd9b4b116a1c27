"""Time over load: work beside programs that compute, and beside another training.

nnext's default is compared with fixed teams of one and two threads, in the same rounds and under the same load; a
training with PyTorch and JAX as well, at what they do by themselves. How much is done in a measurement is chosen before
there is a load, so that all loads are asked the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.busy import Load, running
from benchmarks.cases import (
    Case,
    Effort,
    open_task,
    prediction_case,
    product_case,
    prove_equal_work,
    same_repeats,
    summary,
    training_case,
)
from benchmarks.harness import Pool, Worker, compare, measure
from benchmarks.report import Show
from benchmarks.works import DEEPER, MNIST, SMALL, Net

TITLE = "time over load"
LOADS = (*(Load(n) for n in (0, 1, 2, 4)), Load(1, "train"))
QUICK_LOADS = (Load(0), Load(2))
PEERS = ("PyTorch", "JAX")
# A program that computes gets its CPU for some ms at a time, so the median of shorter pieces is that of the pieces in
# which it had none. Calibrating to this many seconds takes at least half of it.
BUDGET = 0.4


def cases(effort: Effort) -> Iterator[Case]:
    """Yield trainings, with epochs short enough for the slowest under the largest load; predictions; products."""
    nets = (MNIST.short(20), DEEPER.short(4), SMALL.short(500))
    for net in nets[:1] if effort.quick else nets:
        yield training_case(net, PEERS, 0)
    for rows in (256,) if effort.quick else (1, 256, 60_000):
        yield prediction_case(Net(MNIST.sizes, rows, batches=1), (), 0)
    for n in (256,) if effort.quick else (256, 1024):
        yield product_case(n, n, n, "float32", (), 0)


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure each case under each load."""
    if effort.busy:
        print("left out, it has programs of its own: measure it without --busy")
        return []
    teams = [pool.worker(team_name(threads), threads, "nnext fixed") for threads in effort.threads or (1, 2)]
    ours, peers = [pool.worker("nnext", 0), *teams], pool.workers(PEERS, 0)
    results = []
    for case in cases(effort):
        for result in over_load([*ours, *(peer for peer in peers if peer.name in case.libraries)], case, effort):
            results.append(result)
            show(result)
    return results


def team_name(threads: int) -> str:
    """Return the name of a fixed team."""
    return f"nnext, {threads} thread{'' if threads == 1 else 's'}"


def over_load(workers: Sequence[Worker], case: Case, effort: Effort) -> Iterator[dict[str, Any]]:
    """Measure one case under each load.

    Yields
    ------
    dict
        case, rounds, beside (what else computed), left_out, for each library its proof, times and ratios, and the
        default's ratio to the better team.
    """
    workers, left_out = open_task(workers, case.kind, case.work)
    proofs = prove_equal_work(workers)
    same_repeats([worker for worker in workers if worker.name not in PEERS], BUDGET)
    for worker in workers:
        if worker.name in PEERS:
            worker.ask("calibrate", budget=BUDGET)
    for seed, load in enumerate(QUICK_LOADS if effort.quick else LOADS):
        with running(load):
            times = measure(workers, effort.rounds, lambda worker, _: float(worker.ask("seconds")), seed)
        yield {
            "case": case.name,
            "rounds": effort.rounds,
            "beside": load.name,
            "left_out": left_out,
            "libraries": {name: proofs[name] | summary(times, name, case) for name in times},
            "default": default_to_better(times),
        }


def default_to_better(times: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return the fixed team that is better under this load, by its median, and the ratio of the default's time to its.

    The better one of each round would be what luck chose: a default beside two teams that are as quick as it would come
    out as the slowest.
    """
    teams = {name: float(np.median(seconds)) for name, seconds in times.items() if name.startswith("nnext, ")}
    better = min(teams, key=teams.__getitem__)
    return {"better": better, "ratio": compare(times["nnext"], times[better]).row()}
