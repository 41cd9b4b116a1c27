"""Instruction set and threads.

Environment variables, read at import: ``NNEXT_ISA`` forces an instruction set, ``NNEXT_NUM_THREADS`` sets the number of
threads, as `set_num_threads` does; a value that does not fit is an error. ``OMP_NUM_THREADS``, which other libraries
read too, sets it where ours is not set: the first entry of a list, and no more than there are CPUs; what is no number
of threads is ignored.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnext import _check, _core
from nnext._streams import show
from nnext._unknown import attributes_of

__all__ = [
    "available_bf16",
    "available_isas",
    "fma_ceiling",
    "get_num_threads",
    "isa",
    "set_num_threads",
    "show_config",
    "threads",
]


def isa() -> str:
    """Return the instruction set of the kernels in use: "avx512", "avx2", "neon" or "baseline".

    Examples
    --------
    >>> isa() in available_isas()
    True
    """
    return _core.isa()


def available_isas() -> list[str]:
    """Return the instruction sets that this build has and this CPU supports, best first.

    Examples
    --------
    >>> available_isas()[-1]
    'baseline'
    """
    return _core.available_isas()


def available_bf16() -> list[str]:
    """Return the kernels for ``compile(..., precision="bf16")`` that this CPU supports, best first.

    Returns
    -------
    list of str
        "amx" (AMX-BF16) and "avx512bf16" (AVX512-BF16); empty where "bf16" is an error.

    Examples
    --------
    >>> set(available_bf16()) <= {"amx", "avx512bf16"}
    True
    """
    return _core.available_bf16()


def get_num_threads() -> int:
    """Return how many threads a call may use, the calling one included.

    Examples
    --------
    >>> get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def set_num_threads(n: int) -> None:
    """Set how many threads a call may use. Results do not depend on it.

    Parameters
    ----------
    n : int
        From 1 to 256. A call never uses more than there are CPUs: threads that take turns only wait for each other. It
        uses fewer where there is too little to share, and from moment to moment while other programs compute:
        ``History.members`` tells.

    Raises
    ------
    ValueError, TypeError
        Otherwise.

    Examples
    --------
    >>> before = get_num_threads()
    >>> set_num_threads(1)
    >>> set_num_threads(before)
    """
    _core.set_num_threads(_check.integer("set_num_threads", "n", n, low=1, high=256))


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Use n threads within a ``with`` block.

    Parameters
    ----------
    n : int
        From 1 to 256.

    Examples
    --------
    >>> with threads(1):
    ...     get_num_threads()
    1
    """
    before = get_num_threads()
    set_num_threads(n)
    try:
        yield
    finally:
        _core.set_num_threads(before)


def fma_ceiling(dtype: npt.DTypeLike = "float32", threads: int = 1) -> float:
    """Measure how many floating-point operations a second the CPU can do: its peak.

    Runs multiply-adds on registers alone for 2 ms, with the instruction set in use. No kernel can be faster, so the
    share of it that one reaches says how much is left. Clock, temperature and other programs move it: measure it next
    to what it is compared with.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Type of the numbers.
    threads : int
        From 1 to 256, all at work at once. There may be fewer, down to one, while another thread trains.

    Returns
    -------
    float
        FLOP/s of all threads together; a multiply-add counts as two.

    Raises
    ------
    ValueError, TypeError
        For another dtype or number of threads.

    Examples
    --------
    >>> fma_ceiling() > 0
    True
    """
    name = _check.float_dtype("fma_ceiling", dtype)
    return _core.fma_ceiling(name == "float64", _check.integer("fma_ceiling", "threads", threads, low=1, high=256))


def show_config() -> None:
    """Print versions, CPU, instruction sets and threads: what belongs into a bug report.

    Examples
    --------
    >>> show_config()  # doctest: +ELLIPSIS
    nnext ...
    """
    show(
        f"nnext {_core.__version__}, Python {platform.python_version()}, NumPy {np.__version__}",
        f"machine: {platform.machine()}, {os.cpu_count()} CPUs, {_core.usable_cpus()} usable",
        f"instruction set: {isa()} (available: {', '.join(available_isas())})",
        f"bf16: {', '.join(available_bf16()) or 'not supported by this CPU'}",
        f"threads: {get_num_threads()} (the last call had {_core.last_members()})",
    )


if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
