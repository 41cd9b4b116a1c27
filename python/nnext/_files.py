"""Model files on the disk, or in what is open for bytes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np


class Writable(Protocol):
    """A file that is open for bytes to be written."""

    def write(self, data: Any, /) -> object: ...


class Readable(Protocol):
    """A file that is open for bytes to be read."""

    def read(self) -> bytes: ...


Path = str | os.PathLike[str]
Bytes = bytes | memoryview

BLOCK = 1 << 20  # bytes at once: Python looks for signals between two


def read(source: Path | Readable) -> Bytes:
    """Return all bytes of a file.

    Raises
    ------
    OSError
        When it cannot be read; a path is named as it was given.
    TypeError
        When it is neither a path nor a file open for bytes.
    """
    if not isinstance(source, str | os.PathLike):
        return _read_open(source)
    with _named(source) as path, open(path, "rb", buffering=0, opener=_open_at_once) as file:
        status = os.fstat(file.fileno())
        _check_regular(status)
        return _read_blocks(file, status.st_size)


def write(target: Path | Writable, parts: Iterable[Any]) -> None:
    """Write a file of these bytes; one with a path is replaced, so that at any moment there is the old one or the new.

    Raises
    ------
    OSError, TypeError
        As by `read`.
    """
    from nnext._replacement import replace  # here, as not every program has files

    if not isinstance(target, str | os.PathLike):
        _check_open(target)
        _write_all(target, parts)
        return
    with _named(target) as path:
        if not os.path.basename(path):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        with contextlib.suppress(FileNotFoundError):
            _check_regular(os.stat(path))
        replace(os.path.realpath(path), lambda file: _write_all(file, parts))  # a link stays one


def get_ready() -> None:
    """Import what `write` needs."""
    from nnext import _replacement  # noqa: F401


def in_its_folder(path: str) -> str:
    """Return a path with the home folder for "~", after making the folders that it lies in where they are not there.

    Raises
    ------
    OSError
        As by `read`.
    """
    with _named(path) as full:
        os.makedirs(os.path.dirname(full) or ".", exist_ok=True)
        return full


def _read_open(file: Any) -> bytes:
    data = file.read() if hasattr(file, "read") else None
    if not isinstance(data, bytes):
        raise TypeError(
            f"[load] the file is {file!r}; give a path, or a file that is open for bytes, by open(..., 'rb')"
        )
    return data


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for somebody at the other end of a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def _read_blocks(file: io.RawIOBase, size: int) -> memoryview:
    data, done = np.empty(size, np.uint8).data, 0  # a bytearray would be written twice, the first time at once
    while count := file.readinto(data[done : done + BLOCK]):
        done += count
    return data[:done]  # fewer where the file has become shorter


def _check_open(file: Any) -> None:
    if not hasattr(file, "write") or isinstance(file, io.TextIOBase):
        raise TypeError(
            f"[save] the file is {file!r}; give a path, or a file that is open for bytes, by open(..., 'wb')"
        )


def _write_all(file: Any, parts: Iterable[Any]) -> None:
    for part in parts:
        rest = memoryview(part)
        while rest:
            written = file.write(rest[:BLOCK])
            if not written and isinstance(file, io.RawIOBase):
                raise BlockingIOError(errno.EAGAIN, "the file takes no more bytes at present", repr(file))
            rest = rest[min(len(rest), BLOCK) if written is None else written :]  # many a file-like object says nothing


@contextlib.contextmanager
def _named(given: Path) -> Iterator[str]:
    """Yield the path, with the home folder for "~"; an OSError within then names what was given, and nothing else."""
    text = os.fspath(given)
    try:
        yield os.path.expanduser(text)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, text) from None


def _check_regular(status: os.stat_result) -> None:
    """Refuse folders, and devices and pipes, which have no end or cannot be replaced."""
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "No regular file; open it and give the file object")
