"""Model files on the disk, or in what is open for bytes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from typing import Any, Protocol


class Writable(Protocol):
    """A file that is open for bytes to be written."""

    def write(self, data: Any, /) -> object: ...


class Readable(Protocol):
    """A file that is open for bytes to be read."""

    def read(self) -> bytes: ...


Path = str | os.PathLike[str]


def read(source: Path | Readable) -> bytes:
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
    with _named(source) as path:
        _check_regular(path)
        with open(path, "rb") as file:
            return file.read()


def write(target: Path | Writable, data: bytes) -> None:
    """Write a file; one with a path is replaced so that a crash at any moment leaves the old one or the new, whole.

    Raises
    ------
    OSError, TypeError
        As by `read`.
    """
    if not isinstance(target, str | os.PathLike):
        _write_open(target, data)
        return
    with _named(target) as path:
        with contextlib.suppress(FileNotFoundError):
            _check_regular(path)
        _replace(os.path.realpath(path), data)  # a link stays one


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


def _write_open(file: Any, data: bytes) -> None:
    if not hasattr(file, "write") or isinstance(file, io.TextIOBase):
        raise TypeError(
            f"[save] the file is {file!r}; give a path, or a file that is open for bytes, by open(..., 'wb')"
        )
    rest = memoryview(data)
    while rest:
        written = file.write(rest)
        if not written and isinstance(file, io.RawIOBase):
            raise BlockingIOError(errno.EAGAIN, "the file takes no more bytes at present", repr(file))
        rest = rest[written or len(rest) :]  # many a file-like object returns None


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


def _check_regular(path: str) -> None:
    """Refuse folders, and devices and pipes, which have no end or cannot be replaced."""
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "No regular file; open it and give the file object")


def _replace(path: str, data: bytes) -> None:
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".nnext-{os.urandom(8).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)  # less the umask
    try:
        with os.fdopen(descriptor, "wb") as file:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(descriptor, os.stat(path).st_mode & 0o777)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    folder_descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_descriptor)
    finally:
        os.close(folder_descriptor)
