"""One call of predict from Python: for one row, as in a program that waits for a single answer, and for many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.cases import Case, Effort, prediction_case, run_cases
from benchmarks.harness import Pool
from benchmarks.report import Show
from benchmarks.works import MNIST, Net

TITLE = "latency of a prediction"
LIBRARIES = (
    *("nnext", "nnext compiled", "NumPy", "scikit-learn"),
    *("PyTorch", "PyTorch script", "PyTorch compile", "JAX", "onnxruntime"),
)
NETS = (Net((2, 2, 1), 1), Net((40, 100, 100, 10), 1), *(replace(MNIST, batch=rows) for rows in (1, 256, 60_000)))


def cases(effort: Effort) -> Iterator[Case]:
    """Yield a case for each network and number of rows; several threads have nothing to share in one row."""
    libraries = tuple(name for name in LIBRARIES if not (effort.quick and name == "PyTorch compile"))
    for net in NETS[:-1] if effort.quick else NETS:
        for threads in (effort.threads if net.batch > 1 else ()) or (1,):
            yield prediction_case(net.short(1), libraries, threads)


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure all cases."""
    return run_cases(pool, cases(effort), effort, show)
