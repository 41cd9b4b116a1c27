"""``python -m benchmarks [names] [--quick]``: measure nnext and its peers here. README.md says what and how."""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.busy import Load, running
from benchmarks.cases import Effort
from benchmarks.harness import Pool, machine
from benchmarks.libraries import LIBRARIES
from benchmarks.options import count, counts, names, refuse_unknown
from benchmarks.report import facts, show, write

NAMES = (
    *("matmul", "activations", "step", "epoch", "accuracy", "latency", "sequences"),
    *("building", "imports", "memory", "scaling", "load"),
)
QUICK = Effort(rounds=5, budget=0.02, quick=True)
FULL = Effort(rounds=15, budget=0.1, quick=False)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmarks, print tables, write what was asked for."""
    options = parse(argv)
    effort = options.effort
    load = Load(effort.busy)
    started = time.perf_counter()
    result: dict[str, Any] = {"machine": machine(), "beside": load.name, "benchmarks": {}}
    print(facts(result["machine"]))
    if load.name:
        print(f"beside {load.name}: times and FMA ceilings are those of a busy machine")
    with running(load), Pool(options.only) as pool:
        for name in options.names:
            module = importlib.import_module(f"benchmarks.{name}")
            print(f"\n== {name}: {module.TITLE}", flush=True)
            begun = time.perf_counter()
            results = module.run(pool, effort, show)
            took = {"seconds": time.perf_counter() - begun}
            result["benchmarks"][name] = {"title": module.TITLE, "results": results} | took
        result["libraries"] = pool.about()
    print(f"\nafter {time.perf_counter() - started:.0f} s, with")
    for name, about in result["libraries"].items():
        print(f"  {name:17} {about}")
    if options.json:
        write(options.json, result)
    if options.plots:
        from benchmarks import plots

        plots.draw(result, Path(options.plots))


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure nnext and its peers here.")
    parser.add_argument("names", nargs="*", metavar="names", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="a part of each, in about five minutes")
    parser.add_argument(
        "--threads", type=counts, metavar="N", help="of each library, with commas between (default: each its own)"
    )
    parser.add_argument("--rounds", type=count, help=f"default: {FULL.rounds}, with --quick {QUICK.rounds}")
    parser.add_argument("--busy", type=count, metavar="N", help="beside so many programs that compute")
    parser.add_argument("--budget", type=float, help="seconds that one measurement takes, at least")
    parser.add_argument(
        "--only", type=names, default=[], metavar="NAMES", help=f"of {', '.join(LIBRARIES)}, with commas between"
    )
    parser.add_argument("--json", metavar="FILE", help="write everything measured")
    parser.add_argument("--plots", metavar="FOLDER", help="draw PNG files there; needs matplotlib")
    options = parser.parse_args(argv)
    options.names = options.names or list(NAMES)
    refuse_unknown(parser, options.names, NAMES, "benchmark")
    refuse_unknown(parser, options.only, LIBRARIES, "library")
    base: dict[str, Any] = vars(QUICK if options.quick else FULL).copy()
    given = {"rounds": options.rounds, "budget": options.budget, "threads": options.threads, "busy": options.busy}
    options.effort = Effort(**(base | {key: value for key, value in given.items() if value}))
    return options


if __name__ == "__main__":
    main()
