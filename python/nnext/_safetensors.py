"""The bytes of a model file: safetensors, with a description of the model as JSON in the metadata.

A header of JSON tells each tensor's dtype, shape and place in the bytes after it. Its metadata have the entry "nnext":
the description, with ``format_version`` and ``sha256``. That is the hash of the rest of the description and of names
and bytes of the tensors, in the order of the names: safetensors itself would not notice a number that has changed.

Files are written and read here, without the library of that name: where there is no memory it ends the process, a full
disk is no OSError to it, nothing can interrupt it while it writes, and where no path is given it makes the bytes of a
whole file. Tests read files with it, and compare the bytes with those that it writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnext import _check, _files, _format1, _json
from nnext._files import BLOCK, Bytes
from nnext.errors import ModelFormatError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

FORMAT_VERSION = 2
MAX_HEADER = 1 << 22  # bytes, of some 5,000 layers: Python's objects for it take up to 10 times as many
MAX_DIMENSIONS = 8

_TYPES = {"F32": "<f4", "F64": "<f8"}


@dataclass(frozen=True)
class File:
    """The bytes of a file, whose tensors lie where they are."""

    header: bytes
    tensors: Mapping[str, Array]  # in the order of the names
    sha256: str

    def parts(self) -> Iterator[bytes | memoryview]:
        """Go through all bytes."""
        yield self.header
        for array in self.tensors.values():
            yield _bytes_of(array)

    def __bytes__(self) -> bytes:
        return b"".join(self.parts())

    def read(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return what `decode` would of these bytes."""
        data = sum(array.nbytes for array in self.tensors.values())
        return _read(
            self.header, len(self.header) + data, lambda place: self.tensors[place.name], lambda *_: self.sha256
        )


def encode(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> File:
    """Return the bytes of a file.

    Raises
    ------
    ValueError, TypeError
        When the description has what JSON cannot hold.
    """
    tensors = {name: tensors[name] for name in sorted(tensors)}
    entries = {"format_version": FORMAT_VERSION, **description}
    sha256 = _hash(entries, tensors)
    table: dict[str, Any] = {"__metadata__": {"nnext": _json.write(entries | {"sha256": sha256})}}
    end, dtypes = 0, {dtype: name for name, dtype in _TYPES.items()}
    for name, array in tensors.items():
        dtype = dtypes[array.dtype.newbyteorder("<").str]
        table[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [end, end := end + array.nbytes]}
    text = _json.write_compact(table).encode()
    text += b" " * (-len(text) % 8)  # so that tensors are aligned
    return File(len(text).to_bytes(8, "little") + text, tensors, sha256)


def decode(data: Bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return description and tensors, which are views of `data`; descriptions of older formats in the form of this one.

    What a description says is for its reader to check.

    Raises
    ------
    ModelFormatError
        When these are not the bytes of a file of a known format, each in its place and unchanged.
    """

    def view(place: _Place) -> Array:
        return np.ndarray(place.shape, place.dtype, buffer=data, offset=place.begin)

    return _read(data, len(data), view, _hash)


def _read(
    data: Bytes,
    size: int,
    tensor: Callable[[_Place], Array],
    sha256: Callable[[Mapping[str, Any], Mapping[str, Array]], str],
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read a file of that size, of which `data` has the header at least."""
    try:
        start = _end_of_header(data, size)
        table = _json.read_object(str(data[8:start], "utf-8"))
        text = table.pop("__metadata__", {}).get("nnext")
        if text is None:
            raise ValueError("it is safetensors but no nnext model: its metadata has no entry 'nnext'")
        tensors = {place.name: tensor(place) for place in _places(table, start, size)}
        description = _of_present_form(_json.read_object(text), tensors, sha256)
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelFormatError(str(error)) from error
    return description, tensors


def get_ready() -> None:
    """Import what reading and writing needs: later there may be no file descriptor for it, or another version."""
    import hashlib

    _files.get_ready()
    _json.get_ready()
    hashlib.sha256()  # reads OpenSSL's settings


def _end_of_header(data: Bytes, size: int) -> int:
    end = 8 + int.from_bytes(data[:8], "little")
    if not 8 < end <= size:
        raise ValueError(f"it is no safetensors file: of its {size} bytes the header would end at {end}")
    if end > MAX_HEADER:
        raise ValueError(f"its header has {end} bytes, more than the {MAX_HEADER} that nnext reads")
    return end


# ---- Tensors --------------------------------------------------------------------------------------------------------


class _Place(NamedTuple):
    begin: int  # among all bytes of the file
    end: int
    name: str
    dtype: str
    shape: tuple[int, ...]


def _places(table: Mapping[str, Any], start: int, size: int) -> list[_Place]:
    """Return where the tensors lie, after a check that they fill the bytes from `start` on without gap or overlap."""
    places, end = sorted(_place(name, entry, start) for name, entry in table.items()), start
    for place in places:
        if place.begin != end:
            begin, end = place.begin - start, end - start
            raise ValueError(f"tensor {place.name!r} begins at byte {begin}, where the one before ends at {end}")
        end = place.end
    if end != size:
        raise ValueError(
            f"its tensors have {end - start} bytes but it holds {size - start}; it is cut off, or too long"
        )
    return places


def _place(name: str, entry: Any, start: int) -> _Place:
    if set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name!r} has the entries {sorted(entry)}, not dtype, shape and data_offsets")
    dtype = _TYPES[_check.choice("header", f"dtype of {name!r}", entry["dtype"], _TYPES)]
    if len(entry["shape"]) > MAX_DIMENSIONS:
        raise ValueError(f"tensor {name!r} has {len(entry['shape'])} dimensions")
    shape = tuple(_check.integer("header", f"shape of {name!r}", n, low=0) for n in entry["shape"])
    begin, end = (_check.integer("header", f"data_offsets of {name!r}", n, low=0) for n in entry["data_offsets"])
    if end - begin != math.prod(shape) * np.dtype(dtype).itemsize:
        raise ValueError(f"tensor {name!r} of shape {shape} has {end - begin} bytes")
    return _Place(start + begin, start + end, name, dtype, shape)


def _bytes_of(array: Array) -> memoryview:
    """Return the bytes of an array as a file has them; no copy, unless the machine has them the other way round."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).data


# ---- Description ----------------------------------------------------------------------------------------------------


def _of_present_form(
    description: dict[str, Any],
    tensors: Mapping[str, Array],
    sha256: Callable[[Mapping[str, Any], Mapping[str, Array]], str],
) -> dict[str, Any]:
    version = description.get("format_version")
    if type(version) is not int or version not in (1, FORMAT_VERSION):
        raise ValueError(
            f"it has format_version {version!r}, this nnext reads 1 and {FORMAT_VERSION}; use the version of nnext "
            "that wrote it, or a newer one"
        )
    if version == FORMAT_VERSION:
        given, found = description.pop("sha256", None), sha256(description, tensors)
        if given != found:
            raise ValueError(
                f"its sha256 is {given!r}, but that of what it holds {found!r}: it is damaged, was changed, or is "
                "from before format 2 had one"
            )
    del description["format_version"]
    return description if version == FORMAT_VERSION else _format1.upgrade(description, tensors)


def _hash(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    import hashlib

    sha = hashlib.sha256(_json.write(description).encode())
    for name in sorted(tensors):
        sha.update(name.encode())
        data = _bytes_of(tensors[name])
        for begin in range(0, len(data), BLOCK):
            sha.update(data[begin : begin + BLOCK])
    return sha.hexdigest()
