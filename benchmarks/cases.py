"""A case is one piece of work that all libraries do: opened, proved equal, timed in rounds beside the peak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.busy import Load
from benchmarks.harness import Pool, Worker, compare, measure
from benchmarks.sequence_works import Recurrent
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
    kind : {"matmul", "activation", "prediction", "stepping", "building", "training"}
    work : dict
        Arguments of the worker's ``open`` for this kind.
    flops : float
        Of one unit, where its time is to be told as a share of the FMA ceiling; else 0.
    dtype : str
        For the peak.
    threads : int
    written : int
        Bytes of what one unit makes, where their rate is to be told.
    """

    name: str
    libraries: Sequence[str]
    kind: str
    work: dict[str, Any]
    flops: float = 0.0
    dtype: str = "float32"
    threads: int = 1
    written: int = 0


def product_case(m: int, k: int, n: int, dtype: str, libraries: Sequence[str], threads: int) -> Case:
    """Return the case of a product of matrices, m x k and k x n."""
    name = f"{m}^3 {dtype}" if m == k == n else f"{m} x {k} x {n} {dtype}"
    work = {"m": m, "k": k, "n": n, "dtype": dtype}
    return Case(name, libraries, "matmul", work, 2.0 * m * k * n, dtype, threads)


def prediction_case(net: Net, libraries: Sequence[str], threads: int, name: str = "") -> Case:
    """Return the case of predicting for the rows of a batch."""
    name = name or f"{net.layers}, {net.batch} row{'' if net.batch == 1 else 's'}"
    return Case(name, libraries, "prediction", {"net": net.description()}, net.forward_flops, threads=threads)


def stepping_case(net: Recurrent, libraries: Sequence[str]) -> Case:
    """Return the case of a recurrent layer that goes through a sequence step by step, on one thread."""
    flops = net.forward_flops / net.steps
    return Case(f"a step of {net.layers}", libraries, "stepping", {"net": net.description()}, flops)


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
    busy : int
        Programs that compute meanwhile.
    """

    rounds: int
    budget: float
    quick: bool
    threads: tuple[int, ...] = ()
    busy: int = 0


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
        case, threads, rounds, beside (what else computed), flops, ceiling (FLOP/s, one a round), left_out, for each
        library its proof, times and ratios, and the best peer, which is empty where nnext is alone.
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
        "beside": Load(effort.busy).name,
        "flops": case.flops,
        "ceiling": ceilings,
        "left_out": left_out,
        "libraries": {name: proofs[name] | summary(times, name, case, ceilings) for name in times},
        "best_peer": best_peer(times),
    }


def best_peer(times: Mapping[str, Sequence[float]]) -> str:
    """Return the library of others with the lowest median; that of each round would be what luck chose.

    One that computes in bf16 gives other numbers, so it is no peer.
    """
    peers = [name for name in times if not (name.startswith("nnext") or name.endswith("bf16"))]
    medians = {name: float(np.median(times[name])) for name in peers}
    return min(medians, key=medians.__getitem__, default="")


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


def same_repeats(workers: Sequence[Worker], budget: float) -> None:
    """Have all repeat their task as often as the quickest does within the budget."""
    times = max(worker.ask("calibrate", budget=budget) for worker in workers)
    for worker in workers:
        worker.ask("repeat", times=times)


def summary(times: dict[str, list[float]], name: str, case: Case, ceilings: Sequence[float] = ()) -> dict[str, Any]:
    """Return a library's times in seconds, its ratio to nnext, its share of the ceiling and the rate of its bytes."""
    seconds = times[name]
    result: dict[str, Any] = {
        "seconds": seconds,
        "median": float(np.median(seconds)),
        "best": min(seconds),
        "ratio": compare(seconds, times["nnext"]).row(),
    }
    if case.flops and ceilings:
        result["share"] = compare([case.flops / c for c in ceilings], seconds).row()
    if case.written:
        result["bytes_per_second"] = case.written / result["median"]
    return result
