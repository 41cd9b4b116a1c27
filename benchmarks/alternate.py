"""``python -m benchmarks.alternate OLD_PYTHON NEW_PYTHON`` tells whether one build of nnext is slower than another.

Two runs of a benchmark, one for each build, differ by what the machine did meanwhile. Here the builds take turns, each
in a process of its own interpreter, and the ratios of the same round decide, as between libraries. Every round has new
processes: where memory lies is luck that lasts as long as a process, and a build beside itself differed by 4% with it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.cases import Case, open_task, prediction_case, same_repeats, training_case
from benchmarks.harness import Ratio, Worker, compare, environment, machine, measure
from benchmarks.options import count, counts, names, refuse_unknown
from benchmarks.report import duration, facts, write
from benchmarks.works import DEEPER, MNIST, SMALL, XOR, Net

LIMIT = 1.03  # of the interval's upper end
BUDGET = (
    0.04  # seconds of a measurement, at least about half of it; the networks below have epochs of about that length
)
LARGE = (MNIST, replace(MNIST, optimizer="Adam", lr=1e-3), DEEPER.short(8))
LONG = Net((784, 1024, 10), 1024, batches=2)  # steps of 3.4 GFLOP
TINY = (SMALL.short(20_000), XOR.short(120_000), replace(XOR, optimizer="Adam", lr=1e-3, batches=100_000))
SAY = "import nnext; print(nnext.__version__, nnext.runtime.isa(), nnext.__file__)"


def cases(threads: Sequence[int]) -> Iterator[Case]:
    """Yield all cases; the library of each is the setting that both builds run."""
    for n in threads:
        for net in (*LARGE, LONG, *TINY):
            yield training_case(net, ["nnext"], n)
        for net in LARGE:
            yield training_case(net, ["nnext bf16"], n, name=f"{net.name} bf16")
        for net in (replace(XOR, batch=1), replace(MNIST, batch=1)):  # with several threads too, which must not wake
            for library, how in (("nnext", "predict"), ("nnext compiled", "compile_inference")):
                yield prediction_case(net, [library], n, f"{net.layers} {how}")


def run_case(case: Case, pythons: Mapping[str, str], rounds: int) -> dict[str, Any]:
    """Measure one case.

    Parameters
    ----------
    case : Case
    pythons : mapping
        "old" and "new" to the interpreters.
    rounds : int

    Returns
    -------
    dict
        case, threads, rounds, left_out; and when both builds can do it: same_bits, seconds of each, and the ratio.
    """
    result = {"case": case.name, "threads": case.threads, "rounds": rounds, "left_out": {}, "same_bits": True}
    seconds: dict[str, list[float]] = {build: [] for build in pythons}
    for i in range(rounds):
        workers = [Worker(build, case.threads, case.libraries[0], python) for build, python in pythons.items()]
        try:
            ready, result["left_out"] = open_task(workers, case.kind, case.work)
            if result["left_out"]:
                return result
            result["same_bits"] &= len({worker.ask("bits") for worker in ready}) == 1
            for build, taken in take_turns(ready, i).items():
                seconds[build].append(taken)
        finally:
            for worker in workers:
                worker.close()
    return result | {"seconds": seconds, "ratio": compare(seconds["new"], seconds["old"]).row()}


def take_turns(workers: Sequence[Worker], seed: int) -> dict[str, float]:
    """Return the time of each for as much work as the other's, the better one of two: a disturbed one reads high."""
    same_repeats(workers, BUDGET)
    seconds = measure(workers, 2, lambda worker, _: float(worker.ask("seconds")), seed)
    return {build: min(taken) for build, taken in seconds.items()}


def complaint(result: Mapping[str, Any]) -> str:
    """Return what is wrong with the new build; empty when nothing is."""
    if left_out := result["left_out"]:
        return "" if "old" in left_out else f"only the old build can: {left_out['new']}"
    wrong = []
    if not result["same_bits"]:
        wrong.append("OTHER BITS than the old build")
    ratio = Ratio(*result["ratio"])
    if not ratio.high <= LIMIT:
        wrong.append(f"up to {ratio.high:.3f} times as long as the old build")
    return ", ".join(wrong)


HEAD = f"| case | threads | old | new / old [95%] | same bits | at most {LIMIT} |\n|---|---|---|---|---|---|"


def row(result: Mapping[str, Any]) -> str:
    """Return a line of the table."""
    cells = [result["case"], result["threads"]]
    if result["left_out"]:
        cells += ["", f"left out: {'; '.join(dict.fromkeys(result['left_out'].values()))}", "", ""]
    else:
        ratio = Ratio(*result["ratio"])
        cells += [duration(float(np.median(result["seconds"]["old"]))), f"{ratio:.3f}"]
        cells += ["yes" if good else "**NO**" for good in (result["same_bits"], ratio.high <= LIMIT)]
    return f"| {' | '.join(map(str, cells))} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure case after case, print the table; return 1 when a case fails."""
    options = parse(argv)
    pythons = {"old": options.old, "new": options.new}
    result = {"machine": machine(), "builds": {build: about(python) for build, python in pythons.items()}}
    print(facts(result["machine"]), *(f"{build}: {what}" for build, what in result["builds"].items()), "", sep="\n")
    print(HEAD, flush=True)
    results = []
    for case in options.cases:
        results.append(run_case(case, pythons, options.rounds))
        print(row(results[-1]), flush=True)
    if options.json:
        write(options.json, result | {"results": results})
    complaints = [f"{each['case']}, threads {each['threads']}: {what}" for each in results if (what := complaint(each))]
    if all(each["left_out"] for each in results):
        complaints.append("nothing was compared")
    print()
    for what in complaints:
        print(f"FAILED {what}")
    return min(len(complaints), 1)


def about(python: str) -> str:
    """Return version, instruction set and place of the nnext that an interpreter imports."""
    said = subprocess.run([python, "-c", SAY], stdout=subprocess.PIPE, text=True, check=True, env=environment(1))
    return said.stdout.strip()


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alternate", description="Compare two builds of nnext.")
    parser.add_argument("old", metavar="OLD_PYTHON", help="an interpreter in whose environment nnext is installed")
    parser.add_argument("new", metavar="NEW_PYTHON", help="that of the other build")
    parser.add_argument("--rounds", type=count, default=30)
    parser.add_argument(
        "--threads", type=counts, default=(1, 2), metavar="N", help="with commas between (default: 1,2)"
    )
    parser.add_argument("--only", type=names, metavar="NAMES", help="of the table's cases, with commas between")
    parser.add_argument("--json", metavar="FILE", help="write everything measured")
    options = parser.parse_args(argv)
    known = list(cases(options.threads))
    refuse_unknown(parser, options.only or (), dict.fromkeys(case.name for case in known), "case")
    options.cases = [case for case in known if not options.only or case.name in options.only]
    return options


if __name__ == "__main__":
    sys.exit(main())
