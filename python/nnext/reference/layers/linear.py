"""Linear: the layer with the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from nnext.reference import initializers
from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer
from nnext.reference.products import matmul

__all__ = ["Linear"]


@dataclass
class Linear(Layer):
    """``y = x W^T + b``: every output is a weighted sum of all inputs.

    Parameters
    ----------
    weight : array of shape (out_features, in_features)
    bias : array of shape (out_features,), or None for none

    Examples
    --------
    >>> import numpy as np
    >>> layer = Linear(np.array([[1.0, 2.0]]), bias=np.array([0.5]))
    >>> y, saved = layer.forward(np.array([[3.0, 4.0]]), None)
    >>> dx, grads = layer.backward(np.array([[1.0]]), saved)
    >>> y, dx, grads["weight"], grads["bias"]
    (array([[11.5]]), array([[1., 2.]]), array([[3., 4.]]), array([1.]))
    """

    weight: Array
    bias: Array | None = None

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layer around its arrays, whose sizes are its own."""
        return cls(tensors["weight"], tensors.get("bias"))

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Draw PyTorch's default."""
        weight, bias = initializers.linear_default(config["out_features"], config["in_features"], seed, number)
        return {"weight": weight} | ({"bias": bias} if config.get("bias", True) else {})

    def parameters(self) -> dict[str, Array]:
        """Return weight and bias."""
        return {"weight": self.weight} | ({} if self.bias is None else {"bias": self.bias})

    def image_axes(self) -> int:
        """Return 0: features are last, of rows and of steps."""
        return 0

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, in_features) -> (n, out_features), or that at each step of (n, T, in_features)."""
        if x.ndim not in (2, 3) or x.shape[-1] != self.weight.shape[1]:
            cure = "GlobalAvgPool2d or Flatten" if x.ndim == 4 else "Flatten"
            raise ValueError(
                f"[linear] x has shape {x.shape} but the layer expects (rows, {self.weight.shape[1]}); "
                f"change in_features, or put {cure} before the layer"
            )
        y = matmul(_rows(x), self.weight, transpose_b=True)
        return (y if self.bias is None else y + self.bias).reshape(*x.shape[:-1], len(self.weight)), x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """``dx = dy W``, ``dW = dy^T x``, ``db = sum of dy over the rows``."""
        grads = {"weight": matmul(_rows(dy), _rows(saved), transpose_a=True)}
        if self.bias is not None:
            grads["bias"] = _rows(dy).sum(axis=0)
        return matmul(_rows(dy), self.weight).reshape(saved.shape), grads


def _rows(x: Array) -> Array:
    """Return the steps of all sequences as rows."""
    return x.reshape(-1, x.shape[-1])
