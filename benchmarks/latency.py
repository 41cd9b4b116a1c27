"""One prediction for one row, called from Python: what a program waits for that asks for a single answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.cases import Case, Effort, run_cases
from benchmarks.harness import Pool
from benchmarks.report import Show
from benchmarks.works import Net

TITLE = "latency of one prediction"
LIBRARIES = (
    *("nnext", "nnext compiled", "NumPy", "scikit-learn"),
    *("PyTorch", "PyTorch script", "PyTorch compile", "JAX", "onnxruntime"),
)
NETS = (Net((2, 2, 1), 1, batches=2), Net((40, 100, 100, 10), 1, batches=10), Net((784, 128, 10), 1, batches=10))


def cases(effort: Effort) -> Iterator[Case]:
    """Yield a case for each network; several threads have nothing to share in one row."""
    libraries = tuple(name for name in LIBRARIES if not (effort.quick and name == "PyTorch compile"))
    for net in NETS:
        yield Case(net.layers, libraries, "prediction", {"net": net.description()})


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure all cases."""
    return run_cases(pool, cases(effort), effort, show)
