"""The bytes of a model file: safetensors, with a description of the model as JSON in the metadata.

A header of JSON tells each tensor's dtype, shape and place in the bytes after it. Its metadata have the entry "nnext":
the description, with ``format_version`` and ``sha256``. That is the hash of the rest of the description and of names
and bytes of the tensors, in the order of the names: safetensors itself would not notice a number that has changed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnext import _check, _format1, _json
from nnext.errors import ModelFormatError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

FORMAT_VERSION = 2
MAX_HEADER = 1 << 22  # bytes, of some 5,000 layers: Python's objects for it take up to 30 times as many
MAX_DIMENSIONS = 8

_TYPES = {"F32": "<f4", "F64": "<f8"}


def encode(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    ValueError, TypeError
        When the description has what JSON cannot hold.
    """
    from safetensors.numpy import save  # here, as not every program has files

    entries = {"format_version": FORMAT_VERSION, **description}
    text = _json.write(entries | {"sha256": _hash(entries, tensors)})
    return save(dict(tensors), metadata={"nnext": text})


def decode(data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return description and tensors, which are views of `data`; descriptions of older formats in the form of this one.

    What a description says is for its reader to check.

    Raises
    ------
    ModelFormatError
        When these are not the bytes of a file of a known format, each in its place and unchanged.
    """
    try:
        start = _end_of_header(data)
        table = _json.read_object(data[8:start].decode())
        text = table.pop("__metadata__", {}).get("nnext")
        if text is None:
            raise ValueError("it is safetensors but no nnext model: its metadata has no entry 'nnext'")
        tensors = _tensors(table, data, start)
        description = _of_present_form(_json.read_object(text), tensors)
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelFormatError(str(error)) from error
    return description, tensors


def _end_of_header(data: bytes) -> int:
    end = 8 + int.from_bytes(data[:8], "little")
    if not 8 < end <= len(data):
        raise ValueError(f"it is no safetensors file: of its {len(data)} bytes the header would end at {end}")
    if end > MAX_HEADER:
        raise ValueError(f"its header has {end} bytes, more than the {MAX_HEADER} that nnext reads")
    return end


# ---- Tensors --------------------------------------------------------------------------------------------------------


class _Place(NamedTuple):
    begin: int
    end: int
    name: str
    dtype: str
    shape: tuple[int, ...]


def _tensors(table: Mapping[str, Any], data: bytes, start: int) -> dict[str, Array]:
    """Return views by name, after a check that they fill the data without gap or overlap."""
    places, end = sorted(_place(name, entry) for name, entry in table.items()), 0
    for place in places:
        if place.begin != end:
            raise ValueError(f"tensor {place.name!r} begins at byte {place.begin}, where the one before ends at {end}")
        end = place.end
    if start + end != len(data):
        raise ValueError(f"its tensors have {end} bytes but it holds {len(data) - start}; it is cut off, or too long")
    return {
        place.name: np.ndarray(place.shape, place.dtype, buffer=data, offset=start + place.begin) for place in places
    }


def _place(name: str, entry: Any) -> _Place:
    if set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name!r} has the entries {sorted(entry)}, not dtype, shape and data_offsets")
    dtype = _TYPES[_check.choice("header", f"dtype of {name!r}", entry["dtype"], _TYPES)]
    if len(entry["shape"]) > MAX_DIMENSIONS:
        raise ValueError(f"tensor {name!r} has {len(entry['shape'])} dimensions")
    shape = tuple(_check.integer("header", f"shape of {name!r}", n, low=0) for n in entry["shape"])
    begin, end = (_check.integer("header", f"data_offsets of {name!r}", n, low=0) for n in entry["data_offsets"])
    if end - begin != math.prod(shape) * np.dtype(dtype).itemsize:
        raise ValueError(f"tensor {name!r} of shape {shape} has {end - begin} bytes")
    return _Place(begin, end, name, dtype, shape)


# ---- Description ----------------------------------------------------------------------------------------------------


def _of_present_form(description: dict[str, Any], tensors: Mapping[str, Array]) -> dict[str, Any]:
    version = description.get("format_version")
    if type(version) is not int or version not in (1, FORMAT_VERSION):
        raise ValueError(
            f"it has format_version {version!r}, this nnext reads 1 and {FORMAT_VERSION}; use the version of nnext "
            "that wrote it, or a newer one"
        )
    if version == FORMAT_VERSION:
        given, sha256 = description.pop("sha256", None), _hash(description, tensors)
        if given != sha256:
            raise ValueError(
                f"its sha256 is {given!r}, but that of what it holds {sha256!r}: it is damaged, was changed, or is "
                "from before format 2 had one"
            )
    del description["format_version"]
    return description if version == FORMAT_VERSION else _format1.upgrade(description, tensors)


def _hash(description: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    import hashlib

    sha = hashlib.sha256(_json.write(description).encode())
    for name in sorted(tensors):
        sha.update(name.encode())
        sha.update(np.ascontiguousarray(tensors[name]).data)
    return sha.hexdigest()
