"""Epochs over data as large as MNIST: 60,000 samples of 784 numbers, 188 MB in float32, in a new order each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks import works
from benchmarks.cases import Case, Effort, run_cases, training_case
from benchmarks.harness import Pool
from benchmarks.report import Show

TITLE = "step of an epoch over 60,000 samples"
LIBRARIES = (
    "nnext",
    "nnext bytes",
    "nnext bf16",
    "NumPy",
    "NumPy cooperlake",
    "scikit-learn",
    "PyTorch",
    "PyTorch bf16",
    "JAX",
)
QUICK = ("nnext", "nnext bytes", "NumPy", "PyTorch", "JAX")


def cases(effort: Effort) -> Iterator[Case]:
    """Yield a case for each network and number of threads."""
    for threads in effort.threads or (1,):
        for net in (works.MNIST,) if effort.quick else (works.MNIST, replace(works.DEEPER, batch=250)):
            work = net.short((20_000 if effort.quick else 60_000) // net.batch)
            name = f"{net.name}, {work.batches} steps an epoch"
            yield training_case(work, QUICK if effort.quick else LIBRARIES, threads, name=name)


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure all cases."""
    return run_cases(pool, cases(effort), effort, show)
