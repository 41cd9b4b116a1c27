"""Means over the rows of a batch, and over the outputs of each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array, channels_first, channels_last


def mean(scale: Array, terms: Array) -> float:
    """Return the mean of (rows, outputs) losses, by the shares of rows or outputs."""
    return float((scale * terms.astype(np.float64)).mean(axis=1).sum())


def mean_grad(scale: Array, row_grad: Array, y_pred: npt.ArrayLike) -> Array:
    """Return its gradient from that of the rows, in y_pred's shape."""
    dy = scale.astype(row_grad.dtype) * row_grad
    return channels_first(dy.reshape(channels_last(np.asarray(y_pred)).shape))
