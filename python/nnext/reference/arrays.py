"""What arrays the reference computes with, and where their axes lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def as_float(x: npt.ArrayLike) -> Array:
    """Return x as an array of float32, if it is one already, or else of float64."""
    x = np.asarray(x)
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)


def channels_last(x: Array) -> Array:
    """Turn images (n, C, H, W) to (n, H, W, C), the order of the C++ core; the features of others are last already."""
    return np.moveaxis(x, 1, -1) if x.ndim == 4 else x


def channels_first(x: Array) -> Array:
    """Turn images (n, H, W, C) to (n, C, H, W)."""
    return np.moveaxis(x, -1, 1) if x.ndim == 4 else x


def as_images(x: Array, axes: int | None) -> Array:
    """Give images (`axes` is 2) and signals (1) that have none an axis of channels, and signals one line each."""
    if axes and x.ndim == axes + 1:
        x = x[:, None]
    return in_lines(x) if axes == 1 else x


def in_lines(values: npt.ArrayLike) -> Array:
    """Turn what each place of signals has, (n, L) or (n, C, L), into that of images of one line; (n,) stays."""
    values = np.asarray(values)
    return np.expand_dims(values, -2) if values.ndim > 1 else values


def lines_of_steps(x: Array) -> Array:
    """Turn sequences (n, T, F) to images of one line, (n, F, 1, T); rows of features stay."""
    return np.moveaxis(x, -1, 1)[:, :, None] if x.ndim == 3 else x


def steps_of_lines(y: Array) -> Array:
    """Turn images of one line, (n, F, 1, T), to sequences (n, T, F); rows of features stay."""
    return np.moveaxis(y[:, :, 0], 1, -1) if y.ndim == 4 else y
