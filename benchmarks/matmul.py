"""Products of matrices: square ones from 8 to 4096, and the thin ones that a network has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.cases import Case, Effort, product_case, run_cases
from benchmarks.harness import Pool
from benchmarks.report import Show

TITLE = "matrix product"
LIBRARIES = ("nnext", "NumPy", "NumPy skylakex", "NumPy cooperlake", "PyTorch", "JAX")
SQUARE = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
THIN = ((1, 784, 128), (64, 784, 128), (64, 128, 10), (784, 64, 128), (256, 512, 512), (4096, 64, 64), (64, 4096, 64))
QUICK = ((8, 8, 8), (64, 64, 64), (256, 256, 256), (1024, 1024, 1024), (64, 784, 128))


def cases(effort: Effort) -> Iterator[Case]:
    """Yield a case for each size, type and number of threads."""
    shapes = QUICK if effort.quick else (*((n, n, n) for n in SQUARE), *THIN)
    for threads in effort.threads or (1,):
        for dtype in ("float32", "float64"):
            for m, k, n in shapes:
                if dtype == "float64" and effort.quick and m != 256:
                    continue
                yield product_case(m, k, n, dtype, LIBRARIES, threads)


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure all cases."""
    return run_cases(pool, cases(effort), effort, show)
