"""One training step of 784-128-10 (ReLU, cross-entropy, plain SGD), batch 64, float32: nnext and its peers.

``python benchmarks/training_step.py`` proves that all do the same work, times them and prints a table; README.md in
this folder says what is measured and how.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from harness import THREAD_VARIABLES, Ratio, Worker, compare, machine, measure, serve
from libraries import BATCH, CLASSES, FEATURES, HIDDEN, LIBRARIES

VARIANTS = ("shuffled", "in_order")
EQUAL = 1e-4  # relative difference of an epoch's loss up to which the work counts as the same


def main(argv: list[str] | None = None) -> None:
    """Prove that the libraries do the same work, time them, print the table."""
    options = parse(argv)
    if options.worker:
        work = dict(np.load(options.work))
        serve(LIBRARIES[options.worker][1](work, options.threads))
        return
    result = run(options)
    show(result)
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Return everything measured."""
    variants = [{"epochs": options.epochs, "shuffle": shuffle} for shuffle in (True, False)]  # as in VARIANTS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "work.npz"
        make_work(path, options.batches * BATCH)
        workers = start(options, path)
        try:
            losses = prove_equal_work(workers)
            times = measure(workers, variants, options.rounds, progress(options.rounds))
            about = {worker.name: worker.ask("about") for worker in workers}
        finally:
            for worker in workers:
                worker.close()
    steps = options.epochs * options.batches
    return {
        "work": f"{FEATURES}-{HIDDEN}-{CLASSES}, batch {BATCH}, SGD, float32",
        "threads": options.threads,
        "rounds": options.rounds,
        "steps_per_round": steps,
        "machine": machine(),
        "libraries": {
            name: {
                "about": about[name],
                "first_loss": losses[name],
                **{variant: summary(times, name, i, steps) for i, variant in enumerate(VARIANTS)},
            }
            for name in about
        },
    }


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description="Time one training step of 784-128-10.")
    parser.add_argument("--threads", type=count, default=1, help="of each library (default: 1)")
    parser.add_argument("--rounds", type=count, default=15, help="default: 15")
    parser.add_argument("--epochs", type=count, default=5, help="of each timed training (default: 5)")
    parser.add_argument("--batches", type=count, default=200, help="of 64 samples, in an epoch (default: 200)")
    parser.add_argument("--only", metavar="NAMES", help=f"of {', '.join(LIBRARIES)}, with commas between")
    parser.add_argument("--json", metavar="FILE", help="write everything measured")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    options.names = options.only.split(",") if options.only else list(LIBRARIES)
    if unknown := [name for name in options.names if name not in LIBRARIES]:
        parser.error(f"unknown library {unknown[0]!r}; use {', '.join(LIBRARIES)}")
    if "nnext" not in options.names:
        options.names.insert(0, "nnext")
    return options


def count(text: str) -> int:
    """Return a whole number from 1 on."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def make_work(path: Path, n: int) -> None:
    """Write samples, labels, start weights, and the order in which nnext takes the samples of its first epoch."""
    import nnext as nn
    from nnext.reference import random as streams

    random = np.random.default_rng(0)
    labels = random.integers(CLASSES, size=n)
    labels[:CLASSES] = np.arange(CLASSES)  # scikit-learn counts the classes that it sees
    centres = random.random((CLASSES, FEATURES), dtype=np.float32)
    samples = (centres[labels] + random.random((n, FEATURES), dtype=np.float32)) / 2
    order = streams.permutation(n, 0, streams.stream(streams.SHUFFLE, 0, 0))
    arrays: dict[str, Any] = {"X": samples, "y": labels, "order": order}
    np.savez(path, **arrays, **nn.MLP([FEATURES, HIDDEN, CLASSES]).state_dict())


def start(options: argparse.Namespace, work: Path) -> list[Worker]:
    """Start a process for each library that is installed."""
    workers = []
    for name in options.names:
        package, _, environment = LIBRARIES[name]
        if importlib.util.find_spec(package) is None:
            print(f"{name}: left out, {package} is not installed")
            continue
        if environment and "avx512f" not in cpu_flags():
            print(f"{name}: left out, this CPU has no AVX-512")
            continue
        command = [sys.executable, __file__, "--worker", name, "--work", str(work), "--threads", str(options.threads)]
        threads = dict.fromkeys(THREAD_VARIABLES, str(options.threads))
        workers.append(Worker(name, command, threads | environment))
        workers[-1].ask("about")  # it is ready, and the next one starts on a quiet machine
    return workers


def cpu_flags() -> str:
    """Return Linux's list of CPU features; empty elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""


def prove_equal_work(workers: list[Worker]) -> dict[str, dict[str, float | None]]:
    """Let every library train an epoch from the same weights on the same batches; their losses must agree."""
    losses = {
        worker.name: {key: worker.ask("loss", shuffle=key == "shuffled") for key in VARIANTS} for worker in workers
    }
    for name, found in losses.items():
        for key, loss in found.items():
            expected = losses["nnext"][key]
            if loss is not None and not abs(loss - expected) <= EQUAL * abs(expected):
                raise SystemExit(
                    f"{name} does other work than nnext: its epoch's loss ({key}) is {loss}, not {expected}"
                )
    return losses


def progress(rounds: int) -> Any:
    """Return a function that shows the rounds done, on terminals."""
    if not sys.stderr.isatty():
        return lambda done: None
    return lambda done: print(
        f"\rround {done}/{rounds}", end="\n" if done == rounds else "", file=sys.stderr, flush=True
    )


def summary(times: dict[tuple[str, int], list[float]], name: str, i: int, steps: int) -> dict[str, Any]:
    """Return a library's times of a step in microseconds, and its ratio to nnext."""
    microseconds = [1e6 * t / steps for t in times[name, i]]
    to_nnext = compare(times[name, i], times["nnext", i])
    return {
        "median_us": float(np.median(microseconds)),
        "best_us": min(microseconds),
        "ratio_to_nnext": to_nnext.median,
        "ratio_interval": [to_nnext.low, to_nnext.high],
        "rounds_us": microseconds,
    }


def show(result: dict[str, Any]) -> None:
    """Print the table."""
    info, libraries = result["machine"], result["libraries"]
    threads = f"{result['threads']} thread{'' if result['threads'] == 1 else 's'}"
    print(
        f"one training step of {result['work']}, {threads}; {info['cpu']}, {info['cpus']} CPUs, load {info['load']:.1f}"
    )
    print(f"{result['rounds']} rounds of {result['steps_per_round']} steps. The same work: the first epoch's loss is")
    for name, library in libraries.items():
        shuffled, in_order = (library["first_loss"][variant] for variant in VARIANTS)
        drawn = "its own order " if shuffled is None else f"{shuffled:.6f} shuffled"
        print(f"  {name:15} {drawn:17}  {in_order:.6f} in order")
    for variant, title in zip(VARIANTS, ("shuffled in every epoch", "in the order in which they lie"), strict=True):
        print(f"\nsamples {title}")
        print(f"  {'us a step':15} {'median':>8} {'best':>8}   times nnext's [95%]")
        for name, library in libraries.items():
            row = library[variant]
            print(f"  {name:15} {row['median_us']:8.1f} {row['best_us']:8.1f}   {ratio(row)!s:22} {library['about']}")
    for name in libraries:
        if name.startswith("PyTorch"):
            lowest = min(ratio(libraries[name][variant]).low for variant in VARIANTS)
            verdict = "yes" if lowest > 2 else "not shown"
            print(f"\nless than half of the time of {name}: {verdict} (all intervals lie above {lowest:.2f})", end="")
    print()


def ratio(row: dict[str, Any]) -> Ratio:
    """Return the ratio that `summary` put down."""
    return Ratio(row["ratio_to_nnext"], *row["ratio_interval"])


if __name__ == "__main__":
    main()
