"""Embedding: a vector for each of so many whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnext import layers as descriptions
from nnext.reference import initializers
from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer

__all__ = ["Embedding"]


@dataclass
class Embedding(Layer):
    """``y_t = weight[x_t]``. Source: Bengio, Ducharme, Vincent and Jauvin, JMLR 3 (2003).

    Parameters
    ----------
    weight : array of shape (num_embeddings, embedding_dim)
    padding_idx : int or None
        The number whose vector gets no gradient.

    Examples
    --------
    >>> layer = Embedding(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> y, saved = layer.forward(np.array([[1, 0, 1]]), None)
    >>> y, layer.backward(np.ones((1, 3, 2)), saved)[1]["weight"]
    (array([[[3., 4.],
            [1., 2.],
            [3., 4.]]]), array([[1., 1.],
           [2., 2.]]))
    """

    weight: Array
    padding_idx: int | None = None

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layer around its vectors."""
        d: Any = descriptions.Layer.from_config(config)
        return cls(tensors["weight"], d.padding_idx)

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Draw all vectors but that of padding_idx, which is 0. As for one-hot rows, an output has a weight a word."""
        d: Any = descriptions.Layer.from_config(config)
        shape = d.num_embeddings, d.embedding_dim
        weight = initializers.drawn(d.weight_init, shape, seed=seed, layer=number, fans=shape)
        if d.padding_idx is not None:
            weight[d.padding_idx] = 0
        return {"weight": weight}

    def image_axes(self) -> int:
        """Return 0: sequences have their features last."""
        return 0

    def parameters(self) -> dict[str, Array]:
        """Return the vectors."""
        return {"weight": self.weight}

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, T) -> (n, T, embedding_dim); NaN, which is no number, becomes a vector of NaN."""
        unknown, n = np.isnan(x), len(self.weight)
        wrong = ~unknown & ~((x >= 0) & (x < n) & (x == np.floor(x)))
        if wrong.any():
            raise ValueError(
                f"[embedding] x has {x[wrong][0]:g} but the layer expects whole numbers from 0 to {n - 1}; change x or "
                "num_embeddings"
            )
        y = self.weight[np.where(unknown, 0, x).astype(np.int64)]
        y[unknown] = np.nan
        return y, x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """Add dy to the gradient of the vector that it is of; x, which is no quantity, has a gradient of 0."""
        grad = np.zeros_like(self.weight)
        np.add.at(grad, np.nan_to_num(saved).astype(np.int64), dy)
        if self.padding_idx is not None:
            grad[self.padding_idx] = 0
        return np.zeros(saved.shape, dy.dtype), {"weight": grad}
