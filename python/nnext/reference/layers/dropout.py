"""Dropout: noise that keeps units from relying on each other."""

from __future__ import annotations

from dataclasses import dataclass

from nnext.reference import random
from nnext.reference.arrays import Array, channels_first, channels_last
from nnext.reference.layers.base import Draw, Layer

__all__ = ["Dropout"]


@dataclass
class Dropout(Layer):
    """In training, zero each element with probability p and scale the rest by ``1 / (1 - p)``; else change nothing.

    Source: Srivastava et al., JMLR 15 (2014).

    Examples
    --------
    >>> import numpy as np
    >>> y, mask = Dropout(0.5).forward(np.ones((1, 4)), Draw(seed=0, layer=0, step=0))
    >>> y
    array([[2., 0., 0., 2.]])
    """

    p: float = 0.5

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array | float]:
        """Multiply with a new mask."""
        if draw is None:
            return x, 1.0
        shape = channels_last(x).shape  # in whose order elements are counted
        mask = random.dropout_mask(shape, self.p, draw.seed, draw.layer, draw.step).astype(x.dtype)
        return x * channels_first(mask), channels_first(mask)

    def backward(self, dy: Array, saved: Array | float) -> tuple[Array, dict[str, Array]]:
        """Multiply with the same mask."""
        return dy * saved, {}
