"""PReLU: the ReLU with a slope that is learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnext.reference.arrays import Array, channels_first, channels_last
from nnext.reference.layers.base import Draw, Layer

__all__ = ["PReLU"]


@dataclass
class PReLU(Layer):
    """``y = x`` where x > 0, ``weight * x`` elsewhere: one weight, or one for each feature or channel.

    Source: He, Zhang, Ren and Sun, ICCV 2015.

    Parameters
    ----------
    weight : array of shape (1,) or (channels,)

    Examples
    --------
    >>> layer = PReLU(np.array([0.5, -1.0]))
    >>> y, x = layer.forward(np.array([[-2.0, -2.0], [2.0, 2.0]]), None)
    >>> dx, grads = layer.backward(np.ones((2, 2)), x)
    >>> y, dx, grads["weight"]
    (array([[-1.,  2.],
           [ 2.,  2.]]), array([[ 0.5, -1. ],
           [ 1. ,  1. ]]), array([-2., -2.]))
    """

    weight: Array

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layer around its weight."""
        return cls(tensors["weight"])

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Begin with `init`."""
        return {"weight": np.full(config.get("num_parameters", 1), float(config.get("init", 0.25)))}

    def parameters(self) -> dict[str, Array]:
        """Return the weight."""
        return {"weight": self.weight}

    def image_axes(self) -> int | None:
        """Return 0 where there are several weights: features are last, of rows and of steps."""
        return None if len(self.weight) == 1 else 0

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, ..., channels) -> the same; the channels of images are first."""
        last = channels_last(x)
        if len(self.weight) not in (1, last.shape[-1]):
            raise ValueError(
                f"[prelu] x has {last.shape[-1]} channels but the layer has {len(self.weight)} weights; "
                "change num_parameters"
            )
        return channels_first(np.where(last > 0, last, self.weight * last)), x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """``dx = dy`` or ``weight dy``, and of a weight the sum of ``x dy`` where it was a factor."""
        x, g = channels_last(saved), channels_last(dy)
        terms = np.where(x > 0, 0, x * g).reshape(-1, len(self.weight))
        return channels_first(np.where(x > 0, g, self.weight * g)), {"weight": terms.sum(axis=0)}
