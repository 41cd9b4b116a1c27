"""Dropout: noise that keeps units from relying on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nnext.reference import random
from nnext.reference.arrays import Array, channels_first, channels_last
from nnext.reference.layers.base import Draw, Layer

__all__ = ["AlphaDropout", "Dropout"]


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


_ALPHA = 1.7580993408473766  # SELU's scale times its alpha: what it gives far below 0, but for the sign


@dataclass
class AlphaDropout(Layer):
    """In training, ``y = a x + b`` or, with probability p, ``y = -1.7581 a + b``; else change nothing.

    ``a = 1 / sqrt((1 - p) (1 + p 1.7581^2))`` and ``b = 1.7581 a p`` keep mean 0 and variance 1. Source: Klambauer,
    Unterthiner, Mayr and Hochreiter, NeurIPS 2017.

    Examples
    --------
    >>> y, mask = AlphaDropout(0.5).forward(np.ones((1, 4)), Draw(seed=0, layer=0, step=0))
    >>> y.round(4)
    array([[ 1.6656, -0.7792, -0.7792,  1.6656]])
    """

    p: float = 0.5

    @property
    def scale(self) -> float:
        """``a``."""
        return 1 / math.sqrt((1 - self.p) * (1 + self.p * _ALPHA**2))

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array | float]:
        """Return y, and its slope."""
        if draw is None:
            return x, 1.0
        shape = channels_last(x).shape
        kept = channels_first(random.dropout_mask(shape, self.p, draw.seed, draw.layer, draw.step)) > 0
        slope = np.where(kept, self.scale, 0).astype(x.dtype)
        shift = np.where(kept, self.p, self.p - 1) * self.scale * _ALPHA
        return x * slope + shift.astype(x.dtype), slope

    def backward(self, dy: Array, saved: Array | float) -> tuple[Array, dict[str, Array]]:
        """Multiply with the slope."""
        return dy * saved, {}
