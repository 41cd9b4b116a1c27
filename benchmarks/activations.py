"""Element-wise activations and the softmax of rows, on arrays that fit into the cache and on ones that do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.cases import Case, Effort, run_cases
from benchmarks.harness import Pool
from benchmarks.report import Show

TITLE = "activation, float32"
LIBRARIES = ("nnext", "NumPy", "PyTorch", "PyTorch avx512", "JAX")
NAMES = ("relu", "tanh", "sigmoid", "softmax")
SHAPES = ((64, 10), (64, 128), (256, 512), (4096, 1024))


def cases(effort: Effort) -> Iterator[Case]:
    """Yield a case for each function and shape."""
    for threads in effort.threads or (1,):
        for m, n in ((256, 512),) if effort.quick else SHAPES:
            for name in NAMES:
                yield Case(
                    f"{name} {m} x {n}", LIBRARIES, "activation", {"name": name, "m": m, "n": n}, threads=threads
                )


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure all cases."""
    return run_cases(pool, cases(effort), effort, show)
