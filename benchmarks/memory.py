"""The most memory that an MNIST-sized training takes beside the imported library: samples, network and all the rest."""

from __future__ import annotations

from typing import Any

from benchmarks.cases import Effort, open_task
from benchmarks.harness import Pool, Worker
from benchmarks.report import Show
from benchmarks.works import MNIST

TITLE = "peak memory of a training on 60,000 samples"
LIBRARIES = ("nnext", "nnext bytes", "NumPy", "scikit-learn", "PyTorch", "JAX")
QUICK = ("nnext", "nnext bytes", "NumPy", "PyTorch")


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure each library in a process that has done nothing else."""
    net = MNIST.short((6_400 if effort.quick else 60_000) // MNIST.batch)
    megabytes: dict[str, dict[str, float]] = {}
    left_out: dict[str, str] = {}
    for name in pool.installed(QUICK if effort.quick else LIBRARIES):
        worker = Worker(name, 1)
        try:
            ready, why_not = open_task([worker], "training", {"net": MNIST.short(1).description(), "shuffle": True})
            left_out |= why_not
            if ready:
                megabytes[name] = worker.ask("memory", net=net.description())
        finally:
            worker.close()
    pixels = net.batch * net.batches * net.sizes[0] / 2**20
    result = {
        "case": f"{net.name}, {net.batch * net.batches} samples",
        "data": {"float32": 4 * pixels, "bytes": pixels},
        "left_out": left_out,
        "megabytes": megabytes,
    }
    show(result)
    return [result]
