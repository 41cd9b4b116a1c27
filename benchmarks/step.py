"""Training steps of networks from XOR's to one layer of 16 million weights, on samples that lie in memory.

The time is that of whole epochs divided by their steps, as training without batches does not exist. *Shuffled* takes a
new order in every epoch, drawing it and gathering the rows included; *in order* takes the samples as they lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks import works
from benchmarks.cases import Case, Effort, run_cases, training_case
from benchmarks.harness import Pool
from benchmarks.report import Show

TITLE = "training step"
LIBRARIES = (
    *("nnext", "nnext bytes", "nnext bf16", "NumPy", "NumPy cooperlake", "scikit-learn"),
    *("PyTorch", "PyTorch avx512", "PyTorch compile", "PyTorch bf16", "JAX"),
)
DROPOUT = ("nnext dropout", "nnext 2 dropouts")  # times nnext's: what they cost
NETS = (works.MNIST, works.DEEPER, works.SMALL, works.XOR, works.BROAD, works.TANH, works.TABLE, works.WIDE)
QUICK = ("nnext", "nnext bf16", "NumPy", "PyTorch", "PyTorch bf16", "JAX")


def cases(effort: Effort) -> Iterator[Case]:
    """Yield a case for each network, order and number of threads."""
    for threads in effort.threads or (1,):
        for net in NETS[:4] if effort.quick else NETS:
            libraries: tuple[str, ...] = QUICK if effort.quick else LIBRARIES
            if effort.quick and net == works.MNIST:
                libraries = (*QUICK, "nnext bytes", "scikit-learn")
            if net == works.MNIST:
                libraries = (*libraries, *DROPOUT)
            if net == works.WIDE:  # its data is too short for scikit-learn to see all classes
                libraries = tuple(name for name in libraries if name != "scikit-learn")
            shorter = net.short(-(-net.batches // 4)) if effort.quick else net
            yield training_case(shorter, libraries, threads, name=f"{net.name}, shuffled")
            if not effort.quick:
                yield training_case(net, libraries, threads, shuffle=False, name=f"{net.name}, in order")


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure all cases."""
    return run_cases(pool, cases(effort), effort, show)
