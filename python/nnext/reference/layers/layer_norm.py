"""Layer normalization: every sample brought to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from nnext import layers as descriptions
from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer

__all__ = ["LayerNorm"]


class Saved(NamedTuple):
    """What a forward pass leaves for the way back."""

    xhat: Array
    deviation: Array


@dataclass
class LayerNorm(Layer):
    """``y = xhat * weight + bias`` with ``xhat = (x - mean) / sqrt(variance + eps)`` over the last axes of a sample.

    Source: Ba, Kiros and Hinton, arXiv:1607.06450.

    Parameters
    ----------
    normalized_shape : tuple of int
        Sizes of these axes.
    weight, bias : array of that shape, or None for none
    eps : float

    Examples
    --------
    >>> y, saved = LayerNorm((2,)).forward(np.array([[1.0, 3.0], [100.0, 300.0]]), None)
    >>> y.round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    normalized_shape: tuple[int, ...]
    weight: Array | None = None
    bias: Array | None = None
    eps: float = 1e-5

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layer around its arrays."""
        d: Any = descriptions.Layer.from_config(config)
        return cls(d.normalized_shape, tensors.get("weight"), tensors.get("bias"), d.eps)

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Begin with what changes nothing."""
        d: Any = descriptions.Layer.from_config(config)
        weight, bias = {"weight": np.ones(d.normalized_shape)}, {"bias": np.zeros(d.normalized_shape)}
        return (weight | (bias if d.bias else {})) if d.elementwise_affine else {}

    def parameters(self) -> dict[str, Array]:
        """Return weight and bias."""
        return {name: a for name, a in (("weight", self.weight), ("bias", self.bias)) if a is not None}

    @property
    def axes(self) -> tuple[int, ...]:
        """Those over which it normalizes."""
        return tuple(range(-len(self.normalized_shape), 0))

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Saved]:
        """(n, ...) -> (n, ...)."""
        if x.shape[1:][-len(self.normalized_shape) :] != self.normalized_shape:
            raise ValueError(
                f"[layer_norm] x has shape {x.shape} but the layer expects {self.normalized_shape} at the end of it; "
                "change normalized_shape"
            )
        deviation = np.sqrt(x.var(axis=self.axes, keepdims=True) + self.eps)
        xhat = (x - x.mean(axis=self.axes, keepdims=True)) / deviation
        y = xhat if self.weight is None else xhat * self.weight
        return (y if self.bias is None else y + self.bias), Saved(xhat, deviation)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, dict[str, Array]]:
        """``dx = (g - mean(g) - xhat mean(g xhat)) / deviation`` with ``g = weight dy``, as for batches."""
        xhat, others = saved.xhat, tuple(range(dy.ndim - len(self.normalized_shape)))
        sums = {"weight": (dy * xhat).sum(axis=others), "bias": dy.sum(axis=others)}
        g = dy if self.weight is None else dy * self.weight
        g = g - g.mean(axis=self.axes, keepdims=True) - xhat * (g * xhat).mean(axis=self.axes, keepdims=True)
        return g / saved.deviation, {name: sums[name] for name in self.parameters()}
