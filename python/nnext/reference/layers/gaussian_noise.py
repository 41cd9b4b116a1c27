"""Gaussian noise: samples that are never the same twice."""

from __future__ import annotations

from dataclasses import dataclass

from nnext.reference import random
from nnext.reference.arrays import Array, channels_first, channels_last
from nnext.reference.layers.base import Draw, Layer

__all__ = ["GaussianNoise"]


@dataclass
class GaussianNoise(Layer):
    """In training, ``y = x + stddev z`` with new numbers z of the standard normal distribution; else change nothing.

    Source: Bishop, Neural Computation 7 (1995).

    Examples
    --------
    >>> import numpy as np
    >>> y, noise = GaussianNoise(0.5).forward(np.ones((1, 3)), Draw(seed=0, layer=0, step=0))
    >>> y.round(3)
    array([[1.215, 1.602, 1.265]])
    """

    stddev: float

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array | float]:
        """Add new noise, which is also what is saved: for those who want to know it."""
        if draw is None:
            return x, 0.0
        shape = channels_last(x).shape  # in whose order elements are counted
        noise = random.gaussian_noise(shape, self.stddev, draw.seed, draw.layer, draw.step).astype(x.dtype)
        return x + channels_first(noise), channels_first(noise)

    def backward(self, dy: Array, saved: Array | float) -> tuple[Array, dict[str, Array]]:
        """Pass dy on."""
        return dy, {}
