"""Files replaced as a whole: whatever happens, the old one is there or the new one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from typing import IO

_PREFIX, _SUFFIX = ".nnext-", ".tmp"  # of temporary files


def replace(path: str, write: Callable[[IO[bytes]], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then give it that name.

    After that the file survives a power cut, if the folder may be read: otherwise nothing can be done about its entry.

    Raises
    ------
    OSError
        When the file is the old one; or when it is the new one already, which the message then says.
    """
    folder = os.path.dirname(path)
    _sweep(folder)
    with _opened(folder) as folder_descriptor, _temporary(folder) as (temporary, file):
        with contextlib.suppress(FileNotFoundError):
            os.fchmod(file.fileno(), os.stat(path).st_mode & 0o777)
        write(file)
        file.flush()
        os.fsync(file.fileno())
        os.replace(temporary, path)
        if folder_descriptor is not None:
            _sync(folder_descriptor)


@contextlib.contextmanager
def _opened(folder: str) -> Iterator[int | None]:
    """Yield a descriptor, before anything has changed; None where the folder may be written but not read."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sync(folder_descriptor: int) -> None:
    try:
        os.fsync(folder_descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # of file systems that do this by themselves
            why = f"{error.strerror}; the file has been replaced, but a power cut may bring the old one back"
            raise OSError(error.errno, why) from None


# ---- Temporary files ------------------------------------------------------------------------------------------------
# A lock says that somebody is writing. It ends with the process, however that ends; what is left then, the next one to
# write into the folder removes.


@contextlib.contextmanager
def _temporary(folder: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield a new file, which nobody else removes; if it then still has that name, it goes."""
    path, descriptor = _create(folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield path, file
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _create(folder: str) -> tuple[str, int]:
    while True:
        path = os.path.join(folder, f"{_PREFIX}{os.urandom(8).hex()}{_SUFFIX}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)  # less the umask
        if _lock(descriptor) and os.fstat(descriptor).st_nlink > 0:
            return path, descriptor
        os.close(descriptor)  # somebody took it for an old one before it had its lock
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _lock(descriptor: int) -> bool:
    """Return whether nobody else has the lock. On a file system without locks nobody sweeps."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _sweep(folder: str) -> None:
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = [name for name in os.listdir(folder) if name.startswith(_PREFIX) and name.endswith(_SUFFIX)]
    for name in names:
        with contextlib.suppress(OSError):  # it is being written, or somebody else's, or gone already
            _remove_unless_locked(os.path.join(folder, name))


def _remove_unless_locked(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.unlink(path)
    finally:
        os.close(descriptor)
