"""What a program pays for ``import``, in time and memory, and what an installed package takes on the disk."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Effort
from benchmarks.harness import Pool, compare, environment
from benchmarks.libraries import LIBRARIES as ENTRIES
from benchmarks.report import Show

TITLE = "import, memory after it, size on the disk"
LIBRARIES = ("nnext", "NumPy", "scikit-learn", "PyTorch", "JAX", "onnxruntime")
PARTS = {"jax": ("jaxlib",), "sklearn": ("scipy",)}  # what it cannot do without, besides NumPy
IMPORT = """
import json, sys, time
from benchmarks.status import megabytes
started = time.perf_counter()
__import__(sys.argv[1])
seconds = time.perf_counter() - started
print(json.dumps([seconds, megabytes("VmHWM")]))
"""


def run(pool: Pool, effort: Effort, show: Show) -> list[dict[str, Any]]:
    """Import every package in new interpreters, in turn."""
    names = dict.fromkeys((*pool.installed(LIBRARIES), "NumPy"))  # with NumPy: the others need it
    packages = [ENTRIES[name].package for name in names]
    rounds = min(effort.rounds, 2) if effort.quick else effort.rounds
    taken: dict[str, list[list[float]]] = {name: [] for name in packages}
    for i in range(rounds + 1):  # the first one reads the files into memory
        for name in packages:
            command = [sys.executable, "-c", IMPORT, name]
            out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment(1))
            if i:
                taken[name].append(json.loads(out.stdout))
    seconds = {name: np.array([row[0] for row in rows]) for name, rows in taken.items()}
    result = {
        "case": "a new interpreter",
        "rounds": rounds,
        "packages": {
            name: {
                "median": float(np.median(seconds[name])),
                "beyond_numpy": float(np.median(seconds[name] - seconds["numpy"])),
                "ratio": compare(seconds[name].tolist(), seconds["nnext"].tolist()).row(),
                "megabytes": float(np.median([row[1] for row in rows])),
                "disk": sum(megabytes_of(part) for part in (name, *PARTS.get(name, ()))),
            }
            for name, rows in taken.items()
        },
    }
    show(result)
    return [result]


def megabytes_of(package: str) -> float:
    """Return the size of a package's folder without what Python compiles on the way, and of the libraries beside it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return 0.0
    folder = Path(spec.origin).parent
    folders = [folder, folder.with_name(f"{folder.name}.libs")]
    files = [Path(top) / name for each in folders for top, _, names in os.walk(each) for name in names]
    return sum(file.stat().st_size for file in files if file.suffix != ".pyc") / 2**20
