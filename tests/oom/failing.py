"""The malloc of failing_malloc.c: compiled, loaded before a process begins, and told when to fail."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
SOURCE = pathlib.Path(__file__).with_name("failing_malloc.c")


@contextlib.contextmanager
def library() -> Iterator[pathlib.Path]:
    """Compile it, for as long as this lasts."""
    assert COMPILER is not None
    with tempfile.TemporaryDirectory() as folder:
        built = pathlib.Path(folder) / "failing_malloc.so"
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", str(SOURCE), "-o", str(built)], check=True)
        yield built


def environment(built: pathlib.Path) -> dict[str, str]:
    """Return the variables of a process in which all allocations, Python's small ones too, are malloc's."""
    return os.environ | {"LD_PRELOAD": str(built), "PYTHONMALLOC": "malloc"}


class Failing:
    """The malloc of this process, which began with those variables.

    Parameters
    ----------
    everywhere : bool
        Whether every allocation counts; else those of nnext's extension module and, as its `new` is there, of the C++
        library.
    from_then_on : bool
        Whether all that come after the one that fails do so, too.
    """

    def __init__(self, everywhere: bool, from_then_on: bool) -> None:
        self._library, self._from_then_on = ctypes.CDLL(None), from_then_on
        self._library.stop_failing.restype = ctypes.c_long
        self._library.start_failing.argtypes = [ctypes.c_long, ctypes.c_int]
        self._library.add_range.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
        self._library.clear_ranges()
        for begin, end in () if everywhere else _ranges("/_core.", "/libstdc++.so"):
            self._library.add_range(begin, end)

    def start(self, number: int) -> None:
        """Fail at an allocation, counted from 1."""
        self._library.start_failing(number, self._from_then_on)

    def stop(self) -> int:
        """Return how many were counted."""
        while True:
            try:
                return int(self._library.stop_failing())
            except MemoryError:  # this call's own was the one
                continue


def _ranges(*names: str) -> Iterator[tuple[int, int]]:
    """Give the addresses of the libraries of these names."""
    lines = pathlib.Path("/proc/self/maps").read_text().splitlines()
    for name in names:
        parts = [line.split()[0].split("-") for line in lines if name in line]
        if not parts:
            sys.exit(f"{name} is not loaded")
        yield min(int(begin, 16) for begin, _ in parts), max(int(end, 16) for _, end in parts)
