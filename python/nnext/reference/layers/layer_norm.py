"""Layer normalization: every sample brought to mean 0 and variance 1, or to a mean square of 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from nnext import layers as descriptions
from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer

__all__ = ["LayerNorm", "RMSNorm"]


def _require_shape(operation: str, x: Array, last: tuple[int, ...]) -> None:
    if x.shape[1:][-len(last) :] != last:
        raise ValueError(
            f"[{operation}] x has shape {x.shape} but the layer expects {last} at the end of it; "
            "change normalized_shape"
        )


class _OverLastAxes(Layer):
    """What normalizes over the last axes, as people write them."""

    normalized_shape: tuple[int, ...]

    @property
    def axes(self) -> tuple[int, ...]:
        """Those over which it normalizes."""
        return tuple(range(-len(self.normalized_shape), 0))

    def image_axes(self) -> int:
        """Return those of images where there are three axes; else 0: features are last, of rows and of steps."""
        return 2 if len(self.normalized_shape) == 3 else 0


class Saved(NamedTuple):
    """What a forward pass leaves for the way back."""

    xhat: Array
    deviation: Array


@dataclass
class LayerNorm(_OverLastAxes):
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

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Saved]:
        """(n, ...) -> (n, ...)."""
        _require_shape("layer_norm", x, self.normalized_shape)
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


@dataclass
class RMSNorm(_OverLastAxes):
    """``y = xhat * weight`` with ``xhat = x / sqrt(mean(x^2) + eps)`` over the last axes of a sample.

    Source: Zhang and Sennrich, NeurIPS 2019.

    Parameters
    ----------
    normalized_shape : tuple of int
        Sizes of these axes.
    weight : array of that shape, or None for none
    eps : float or None
        None is the eps of x's dtype.

    Examples
    --------
    >>> y, saved = RMSNorm((2,)).forward(np.array([[3.0, 4.0], [-300.0, 400.0]]), None)
    >>> y.round(3)
    array([[ 0.849,  1.131],
           [-0.849,  1.131]])
    """

    normalized_shape: tuple[int, ...]
    weight: Array | None = None
    eps: float | None = None

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layer around its weight."""
        d: Any = descriptions.Layer.from_config(config)
        return cls(d.normalized_shape, tensors.get("weight"), d.eps)

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Begin with what changes nothing."""
        d: Any = descriptions.Layer.from_config(config)
        return {"weight": np.ones(d.normalized_shape)} if d.elementwise_affine else {}

    def parameters(self) -> dict[str, Array]:
        """Return the weight."""
        return {} if self.weight is None else {"weight": self.weight}

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Saved]:
        """(n, ...) -> (n, ...)."""
        _require_shape("rms_norm", x, self.normalized_shape)
        eps = np.finfo(x.dtype).eps if self.eps is None else self.eps
        deviation = np.sqrt((x * x).mean(axis=self.axes, keepdims=True) + eps)
        xhat = x / deviation
        return xhat if self.weight is None else xhat * self.weight, Saved(xhat, deviation)

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, dict[str, Array]]:
        """``dx = (g - xhat mean(g xhat)) / deviation`` with ``g = weight dy``."""
        xhat, others = saved.xhat, tuple(range(dy.ndim - len(self.normalized_shape)))
        g = dy if self.weight is None else dy * self.weight
        dx = (g - xhat * (g * xhat).mean(axis=self.axes, keepdims=True)) / saved.deviation
        return dx, {} if self.weight is None else {"weight": (dy * xhat).sum(axis=others)}
