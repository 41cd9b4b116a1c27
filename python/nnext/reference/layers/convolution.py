"""Convolutions: the same weights at every place of an image, a signal or a sequence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnext import layers as descriptions
from nnext.reference import initializers
from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer, check_images
from nnext.reference.layers.one_axis import OneAxis
from nnext.reference.layers.windows import Pair, Windows

__all__ = ["Conv1d", "Conv2d"]


@dataclass
class _Conv(Layer):
    """Windows of images, with weights of shape (out_channels, in_channels / groups, rows, columns)."""

    weight: Array
    bias: Array | None = None
    stride: Pair = (1, 1)
    padding: Pair | str = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layer around its arrays, whose sizes are its own."""
        d: Any = descriptions.Layer.from_config(config)
        return cls(tensors["weight"], tensors.get("bias"), d.stride, d.padding, d.dilation, d.groups)

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Draw PyTorch's default: as for a Linear layer that sees one window of one group."""
        d: Any = descriptions.Layer.from_config(config)
        kernel = d.kernel_size if isinstance(d.kernel_size, tuple) else (d.kernel_size,)
        shape = (d.out_channels, d.in_channels // d.groups, *kernel)
        weight, bias = initializers.linear_default(shape[0], int(np.prod(shape[1:])), seed, number)
        return {"weight": weight.reshape(shape)} | ({"bias": bias} if d.bias else {})

    def parameters(self) -> dict[str, Array]:
        """Return weight and bias."""
        return {"weight": self.weight} | ({} if self.bias is None else {"bias": self.bias})

    def windows(self) -> Windows:
        """Return where the windows lie; of the zeros of "same" the odd one lies at the end."""
        before = after = self.padding
        kernel: Pair = self.weight.shape[2:]
        if before == "same":
            total = [d * (k - 1) for d, k in zip(self.dilation, kernel, strict=True)]
            before = (total[0] // 2, total[1] // 2)
            after = (total[0] - before[0], total[1] - before[1])
        return Windows(self.operation(), kernel, self.stride, before, after, self.dilation)  # type: ignore[arg-type]

    def operation(self) -> str:
        """Return what messages call it."""
        return f"conv{self.image_axes()}d"

    def grouped(self) -> Array:
        """Return the weight as (groups, outputs of each, inputs of each, rows, columns)."""
        return self.weight.reshape(self.groups, -1, *self.weight.shape[1:])

    def seen(self, x: Array) -> Array:
        """Return what each window sees: (n, groups, inputs of each, H', W', rows, columns)."""
        seen = self.windows().of(x)
        return seen.reshape(len(x), self.groups, self.weight.shape[1], *seen.shape[2:])

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, in_channels, H, W) -> (n, out_channels, H', W')."""
        check_images(self.operation(), x, self.groups * self.weight.shape[1])
        y = np.einsum("ngcijab,gocab->ngoij", self.seen(x), self.grouped(), optimize=True)
        y = y.reshape(len(x), len(self.weight), *y.shape[3:])
        return (y if self.bias is None else y + self.bias[:, None, None]), x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """Each window gets the weights times dy, and the weights get what they saw times dy."""
        each = dy.reshape(len(dy), self.groups, len(self.weight) // self.groups, *dy.shape[2:])
        dw = np.einsum("ngoij,ngcijab->gocab", each, self.seen(saved), optimize=True)
        grads = {"weight": dw.reshape(self.weight.shape)}
        if self.bias is not None:
            grads["bias"] = dy.sum(axis=(0, 2, 3))
        back = np.einsum("ngoij,gocab->ngcijab", each, self.grouped(), optimize=True)
        return self.windows().sums(back.reshape(*saved.shape[:2], *back.shape[3:]), saved.shape), grads


@dataclass
class Conv2d(_Conv):
    """``y[o, i, j] = bias[o] + sum over c, a, b of weight[o, c, a, b] window[c, a, b]`` at each place (i, j).

    With `groups` the channels of x and of y are in so many parts, and each of y's sees one of x's.

    Parameters
    ----------
    weight : array of shape (out_channels, in_channels / groups, rows, columns)
    bias : array of shape (out_channels,), or None for none
    stride, dilation : tuple of two int
    padding : tuple of two int, or "same"
    groups : int

    Examples
    --------
    >>> layer = Conv2d(np.array([[[[1.0, 10.0]]]]), bias=np.array([0.5]))
    >>> y, saved = layer.forward(np.array([[[[1.0, 2.0, 3.0]]]]), None)
    >>> dx, grads = layer.backward(np.array([[[[1.0, 1.0]]]]), saved)
    >>> y, dx, grads["weight"], grads["bias"]
    (array([[[[21.5, 32.5]]]]), array([[[[ 1., 11., 10.]]]]), array([[[[3., 5.]]]]), array([2.]))
    """

    def image_axes(self) -> int:
        """Return those of images."""
        return 2


@dataclass
class Conv1d(OneAxis, _Conv):
    """``y[o, i] = bias[o] + sum over c, a of weight[o, c, a] window[c, a]`` at each place i.

    Its weight of shape (out_channels, in_channels / groups, kernel_size) is one of windows of one line here.

    Examples
    --------
    >>> layer = Conv1d(np.array([[[[1.0, 10.0]]]]))
    >>> layer.forward(np.array([[[[1.0, 2.0, 3.0]]]]), None)[0]
    array([[[[21., 32.]]]])
    >>> layer.forward(np.array([[[1.0], [2.0], [3.0]]]), None)[0]
    array([[[21.],
            [32.]]])
    """

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Take windows of one line."""
        d: Any = descriptions.Layer.from_config(config)
        padding = d.padding if isinstance(d.padding, str) else (0, d.padding)
        weight = tensors["weight"][:, :, None]
        return cls(weight, tensors.get("bias"), (1, d.stride), padding, (1, d.dilation), d.groups)

    def parameters(self) -> dict[str, Array]:
        """Return weight, whose lines are not seen from outside, and bias."""
        return super().parameters() | {"weight": self.weight[:, :, 0]}

    def backward(self, dy: Array, saved: Any) -> tuple[Array, dict[str, Array]]:
        """Each window gets the weights times dy, and the weights get what they saw times dy."""
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"weight": grads["weight"][:, :, 0]}
