"""The most memory that an MNIST-sized training takes beside the imported library: samples, network and all the rest."""

from __future__ import annotations

from typing import Any

from benchmarks.cases import Effort
from benchmarks.harness import Pool, Worker
from benchmarks.report import Show
from benchmarks.works import MNIST

TITLE = "peak memory of a training on 60,000 samples"
LIBRARIES = ("nnext", "nnext bytes", "NumPy", "scikit-learn", "PyTorch", "JAX")
QUICK = ("nnext", "nnext bytes", "NumPy", "PyTorch")


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Measure each library in a process that has done nothing else."""
    net = MNIST.short((6_400 if effort.quick else 60_000) // MNIST.batch)
    megabytes, left_out = {}, {}
    for named in pool.workers(QUICK if effort.quick else LIBRARIES, 1):
        worker = Worker(named.name, 1)
        try:
            if reason := worker.ask("open", kind="training", net=MNIST.short(1).description(), shuffle=True):
                left_out[named.name] = reason
            else:
                megabytes[named.name] = worker.ask("memory", net=net.description())
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
