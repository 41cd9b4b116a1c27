"""Means over the rows of a batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array


def mean(scale: Array, row_loss: Array) -> float:
    """Return the mean of the rows' losses, by their shares."""
    return float(scale @ row_loss.astype(np.float64))


def mean_grad(scale: Array, row_grad: Array, y_pred: npt.ArrayLike) -> Array:
    """Return its gradient from the gradients of the rows, in y_pred's shape."""
    dy = scale[:, None].astype(row_grad.dtype) * row_grad
    return dy.reshape(np.shape(y_pred))
