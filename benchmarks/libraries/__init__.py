"""What each library does: a file each, and this list of them with the settings that they are compared in."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.libraries.base import Library


@dataclass(frozen=True)
class Entry:
    """A library in one of its settings.

    Parameters
    ----------
    package : str
        What must be installed.
    options : mapping
        Arguments of its `Library` besides the number of threads.
    environment : mapping
        Variables of its process.
    cpu : str
        A feature that the CPU must have, in Linux's words.
    """

    package: str
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    cpu: str = ""

    def missing(self) -> str:
        """Return why it cannot be run here; empty when it can."""
        if importlib.util.find_spec(self.package) is None:
            return f"{self.package} is not installed"
        if self.cpu and self.cpu not in _cpu_flags():
            return f"this CPU has no {self.cpu}"
        return ""

    def load(self, threads: int) -> Library:
        """Import the library and set it up; only in its own process."""
        module = importlib.import_module(f"benchmarks.libraries.use_{self.package}")
        library: Library = module.Use(threads, **self.options)
        return library


def _cpu_flags() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return []


# NumPy's wheels and PyTorch may choose an older instruction set by themselves, so the newer ones are tried as well.
LIBRARIES = {
    "nnext": Entry("nnext"),
    "nnext bytes": Entry("nnext", {"in_bytes": True}),
    "nnext bf16": Entry("nnext", {"precision": "bf16"}),
    "nnext compiled": Entry("nnext", {"compiled": True}),
    "nnext dropout": Entry("nnext", {"dropout": (0.0, 0.2)}),
    "nnext 2 dropouts": Entry("nnext", {"dropout": (0.2, 0.2)}),
    "nnext fixed": Entry("nnext", {"fixed_team": True}),
    "NumPy": Entry("numpy"),
    "NumPy skylakex": Entry("numpy", {}, {"OPENBLAS_CORETYPE": "SKYLAKEX"}, "avx512f"),
    "NumPy cooperlake": Entry("numpy", {}, {"OPENBLAS_CORETYPE": "COOPERLAKE"}, "avx512_bf16"),
    "scikit-learn": Entry("sklearn"),
    "PyTorch": Entry("torch"),
    "PyTorch avx512": Entry("torch", {}, {"ATEN_CPU_CAPABILITY": "avx512"}, "avx512f"),
    "PyTorch compile": Entry("torch", {"mode": "compile"}),
    "PyTorch script": Entry("torch", {"mode": "script"}),
    "PyTorch bf16": Entry("torch", {"mode": "bf16"}),
    "JAX": Entry("jax"),
    "onnxruntime": Entry("onnxruntime"),
}
