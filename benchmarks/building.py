"""Building a network: what a program waits for before it can train, most of it the drawing of start values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.cases import Case, Effort, run_cases
from benchmarks.harness import Pool
from benchmarks.report import Show
from benchmarks.works import DEEPER, SMALL

TITLE = "building a network, GB/s of start values"
LIBRARIES = ("nnext", "NumPy", "PyTorch")


def cases(effort: Effort) -> Iterator[Case]:
    """Yield a case for each network."""
    for threads in effort.threads or (1,):
        for net in (SMALL, DEEPER):
            work, written = {"net": net.description()}, 4 * net.bounds().size
            yield Case(net.layers, LIBRARIES, "building", work, threads=threads, written=written)


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure all cases."""
    return run_cases(pool, cases(effort), effort, show)
