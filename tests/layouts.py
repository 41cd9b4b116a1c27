"""Memory layouts: each function gives an array equal to its argument."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def reversed_axes(x: Array) -> Array:
    """Negative strides."""
    back = (slice(None, None, -1),) * x.ndim
    return np.ascontiguousarray(x[back])[back]


def stepped(x: Array) -> Array:
    """Every third element of every axis of something larger."""
    larger = np.full([3 * n for n in x.shape], 77, x.dtype)
    view = larger[(slice(None, None, 3),) * x.ndim]
    view[...] = x
    return view


def unaligned(x: Array) -> Array:
    """Start at an odd address."""
    view: Array = np.ndarray(x.shape, x.dtype, buffer=np.zeros(x.nbytes + 1, np.uint8), offset=1)
    view[...] = x
    return view


def read_only(x: Array) -> Array:
    copy = x.copy()
    copy.flags.writeable = False
    return copy


def swapped_bytes(x: Array) -> Array:
    """Big-endian on a little-endian machine."""
    return x.astype(x.dtype.newbyteorder("S"))


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "contiguous": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "reversed": reversed_axes,
    "stepped": stepped,
    "unaligned": unaligned,
    "read_only": read_only,
    "swapped_bytes": swapped_bytes,
}
