"""A case is one piece of work that all libraries do: opened, proved equal, timed in rounds beside the peak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.harness import Pool, Worker, compare, measure
from benchmarks.works import Net


@dataclass(frozen=True)
class Case:
    """A piece of work.

    Parameters
    ----------
    name : str
        For the tables.
    libraries : sequence of str
        Who takes part; nnext is the first.
    kind : {"matmul", "activation", "prediction", "training"}
    work : dict
        Arguments of the worker's ``open`` for this kind.
    flops : float
        Of one unit, where its time is to be told as a share of the FMA ceiling; else 0.
    dtype : str
        For the peak.
    threads : int
    """

    name: str
    libraries: Sequence[str]
    kind: str
    work: dict[str, Any]
    flops: float = 0.0
    dtype: str = "float32"
    threads: int = 1


def training_case(net: Net, libraries: Sequence[str], threads: int, shuffle: bool = True, name: str = "") -> Case:
    """Return the case of training a network; a unit is a step."""
    work = {"net": net.description(), "shuffle": shuffle}
    return Case(name or net.name, libraries, "training", work, net.flops, threads=threads)


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Parameters
    ----------
    rounds : int
    budget : float
        Seconds that one measurement should take.
    quick : bool
        A part of the cases, for a first look.
    threads : tuple of int
        Numbers of threads to measure with; empty for each benchmark's own.
    """

    rounds: int
    budget: float
    quick: bool
    threads: tuple[int, ...] = ()


def run_cases(
    pool: Pool, cases: Iterable[Case], effort: Effort, show: Callable[[dict[str, Any]], None]
) -> list[dict[str, Any]]:
    """Measure case after case and show each as soon as it is done."""
    results = []
    for case in cases:
        results.append(run_case(pool, case, effort))
        show(results[-1])
    return results


def run_case(pool: Pool, case: Case, effort: Effort) -> dict[str, Any]:
    """Measure one case.

    Returns
    -------
    dict
        case, threads, rounds, flops, ceiling (FLOP/s, one a round), left_out, and for each library its proof, times
        and ratios.
    """
    workers, left_out = open_task(pool.workers(case.libraries, case.threads), case.kind, case.work)
    proofs = prove_equal_work(workers)
    for worker in workers:
        worker.ask("calibrate", budget=effort.budget)
    peak, ceilings = {"dtype": case.dtype}, list[float]()

    def take(worker: Worker, _: int) -> float:
        if worker.name != "nnext":
            return float(worker.ask("seconds"))
        before, seconds, after = worker.ask("ceiling", **peak), worker.ask("seconds"), worker.ask("ceiling", **peak)
        ceilings.append(max(before, after))  # one that was disturbed reads low
        return float(seconds)

    times = measure(workers, effort.rounds, take)
    return {
        "case": case.name,
        "threads": case.threads,
        "rounds": effort.rounds,
        "flops": case.flops,
        "ceiling": ceilings,
        "left_out": left_out,
        "libraries": {name: proofs[name] | summary(times, name, case.flops, ceilings) for name in times},
    }


def open_task(workers: Sequence[Worker], kind: str, work: dict[str, Any]) -> tuple[list[Worker], dict[str, str]]:
    """Make a task ready in every worker; return those that have it, and why the others have not."""
    answers = {worker.name: worker.ask("open", kind=kind, **work) for worker in workers}
    if answers.get("nnext"):
        raise SystemExit(f"nnext: {answers['nnext']}")
    return [w for w in workers if not answers[w.name]], {name: why for name, why in answers.items() if why}


def prove_equal_work(workers: Sequence[Worker]) -> dict[str, dict[str, float]]:
    """Have every library do the work once: an error must be small, a loss that of nnext."""
    proofs = {worker.name: worker.ask("check") for worker in workers}
    for name, proof in proofs.items():
        error = proof["error"] if "error" in proof else abs(proof["loss"] / proofs["nnext"]["loss"] - 1)
        if not error <= proof["tolerance"]:
            raise SystemExit(f"{name} does other work than nnext: {proof}, nnext has {proofs['nnext']}")
    return proofs


def summary(times: dict[str, list[float]], name: str, flops: float, ceilings: list[float]) -> dict[str, Any]:
    """Return a library's times in seconds, its ratio to nnext, and its share of the ceiling."""
    seconds = times[name]
    result = {
        "seconds": seconds,
        "median": float(np.median(seconds)),
        "best": min(seconds),
        "ratio": compare(seconds, times["nnext"]).row(),
    }
    if flops:
        result["share"] = compare([flops / c for c in ceilings], seconds).row()
    return result
