"""Flatten: from samples of any shape to rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer

__all__ = ["Flatten"]


@dataclass
class Flatten(Layer):
    """(n, ...) -> (n, features): each sample becomes one row.

    Examples
    --------
    >>> import numpy as np
    >>> y, shape = Flatten().forward(np.ones((10, 28, 28)), None)
    >>> y.shape
    (10, 784)
    """

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, tuple[int, ...]]:
        """Reshape."""
        return x.reshape(len(x), prod(x.shape[1:])), x.shape

    def backward(self, dy: Array, saved: tuple[int, ...]) -> tuple[Array, dict[str, Array]]:
        """Reshape back."""
        return dy.reshape(saved), {}
