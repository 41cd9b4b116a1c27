"""Reshape and Flatten: the numbers of a sample in another shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Self

from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer

__all__ = ["Flatten", "Reshape"]


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


@dataclass
class Reshape(Layer):
    """(n, ...) -> (n, *shape), in NumPy's order; one size may be -1.

    Examples
    --------
    >>> import numpy as np
    >>> y, shape = Reshape((1, 28, -1)).forward(np.ones((10, 784)), None)
    >>> y.shape
    (10, 1, 28, 28)
    """

    shape: tuple[int, ...]

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Take the sizes."""
        return cls(tuple(config["shape"]))

    def image_axes(self) -> int | None:
        """Return 0: whatever comes after it, samples are taken as they are."""
        return 0

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, tuple[int, ...]]:
        """Reshape."""
        known, numbers = prod(size for size in self.shape if size > 0), prod(x.shape[1:])
        if numbers % known != 0 or (-1 not in self.shape and numbers != known):
            raise ValueError(
                f"[reshape] x has shape {x.shape}, {numbers} numbers a sample, which do not go into {self.shape}; "
                "change the shape"
            )
        return x.reshape(len(x), *(size if size > 0 else numbers // known for size in self.shape)), x.shape

    def backward(self, dy: Array, saved: tuple[int, ...]) -> tuple[Array, dict[str, Array]]:
        """Reshape back."""
        return dy.reshape(saved), {}
