"""The IDX format, in which MNIST and Fashion-MNIST come."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

# Two zero bytes, one byte for the type of number, one for the number of dimensions; each dimension as a 4-byte number;
# then the numbers, all big-endian. Described with MNIST at http://yann.lecun.com/exdb/mnist/.


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Read an array from an IDX file, plain or gzip.

    The sizes that the file claims are compared with the bytes that it has: memory stays within these.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    array
        Of the file's shape and type (uint8, int8, int16, int32, float32 or float64), in native byte order.

    Raises
    ------
    OSError
        When the file cannot be opened.
    ValueError
        When it is no IDX file, or has more or fewer bytes than its header says.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "labels"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    with open(path, "rb") as file:
        if file.read(2) != b"\x1f\x8b":
            file.seek(0)
            return _parse_idx(path, file)
        file.seek(0)
        try:
            with gzip.open(file) as unpacked:
                return _parse_idx(path, unpacked)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"[read_idx] {path} is a damaged gzip file ({error}); get it again") from error


def _parse_idx(path: str | os.PathLike[str], file: _Readable) -> npt.NDArray[Any]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _IDX_TYPES or magic[3] == 0:
        raise ValueError(
            f"[read_idx] {path} begins with {magic.hex(' ') or 'nothing'}; an IDX file begins with 00 00, "
            f"a type ({', '.join(f'{code:02x}' for code in _IDX_TYPES)}) and the number of dimensions"
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"[read_idx] {path} ends within its header: {len(sizes)} of {4 * magic[3]} bytes of sizes")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    dtype = np.dtype(_IDX_TYPES[magic[2]])
    expected = math.prod(shape) * dtype.itemsize
    data = _read_at_most(file, expected + 1)
    if len(data) != expected:
        has = f"only {len(data)}" if len(data) < expected else "more"
        raise ValueError(
            f"[read_idx] {path} claims the shape {shape} of {dtype.name}, {expected} bytes, but has {has}; get it again"
        )
    return np.frombuffer(data, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_at_most(file: _Readable, count: int) -> bytearray:
    """Read in pieces: a header may claim more than fits the memory, and file.read(count) would allocate it all."""
    data = bytearray()
    while len(data) < count and (piece := file.read(min(1 << 20, count - len(data)))):
        data += piece
    return data
