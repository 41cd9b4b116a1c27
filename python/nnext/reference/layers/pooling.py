"""Pooling: fewer places of an image or a signal, each standing for several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnext import layers as descriptions
from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer, check_images
from nnext.reference.layers.windows import Pair, Windows

__all__ = ["AvgPool2d", "GlobalAvgPool2d", "MaxPool1d", "MaxPool2d"]


@dataclass
class _Pool2d(Layer):
    """Windows of each channel; without a stride they lie side by side."""

    kernel_size: Pair
    stride: Pair | None = None
    padding: Pair = (0, 0)

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Take the settings as they are."""
        return cls(**vars(descriptions.Layer.from_config(config)))

    def image_axes(self) -> int:
        """Return those of images."""
        return 2

    def windows(self, operation: str) -> Windows:
        """Return where the windows lie."""
        return Windows(operation, self.kernel_size, self.stride or self.kernel_size, self.padding, self.padding)


@dataclass
class _MaxPool(_Pool2d):
    """The largest number of each window; its gradient goes to the first of equal ones, row by row."""

    def operation(self) -> str:
        """Return what messages call it."""
        return f"max_pool{self.image_axes()}d"

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, C, H, W) -> (n, C, H', W')."""
        return np.asarray(self.seen(x).max(axis=-1)), x

    def seen(self, x: Array) -> Array:
        """Return what each window sees, row by row on the last axis; outside of the image that is -inf."""
        check_images(self.operation(), x)
        seen = self.windows(self.operation()).of(x, padding=-np.inf)
        return seen.reshape(*seen.shape[:4], self.kernel_size[0] * self.kernel_size[1])

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """Give dy to the first place of the maximum."""
        seen = self.seen(saved)
        back = np.zeros_like(seen)
        np.put_along_axis(back, seen.argmax(axis=-1)[..., None], dy[..., None], axis=-1)
        back = back.reshape(*seen.shape[:4], *self.kernel_size)
        return self.windows(self.operation()).sums(back, saved.shape), {}


@dataclass
class MaxPool2d(_MaxPool):
    """The maximum of each window of images.

    Examples
    --------
    >>> layer = MaxPool2d((1, 2))
    >>> y, saved = layer.forward(np.array([[[[1.0, 2.0, 4.0, 4.0]]]]), None)
    >>> y, layer.backward(np.array([[[[5.0, 6.0]]]]), saved)
    (array([[[[2., 4.]]]]), (array([[[[0., 5., 6., 0.]]]]), {}))
    """


@dataclass
class MaxPool1d(_MaxPool):
    """The maximum of each window of signals, which are images of one line here: (n, C, 1, L).

    Examples
    --------
    >>> MaxPool1d((1, 2)).forward(np.array([[[[1.0, 2.0, 4.0, 4.0]]]]), None)[0]
    array([[[[2., 4.]]]])
    """

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Take windows of one line."""
        kernel, stride, padding = config["kernel_size"], config["stride"], config["padding"]
        return cls((1, kernel), None if stride is None else (1, stride), (0, padding))

    def image_axes(self) -> int:
        """Return that of signals."""
        return 1


@dataclass
class AvgPool2d(_Pool2d):
    """The mean of each window, of the zeros around the image too or, without `count_include_pad`, of the image alone.

    Examples
    --------
    >>> layer = AvgPool2d((1, 2))
    >>> y, saved = layer.forward(np.array([[[[1.0, 2.0, 4.0, 4.0]]]]), None)
    >>> y, layer.backward(np.array([[[[5.0, 6.0]]]]), saved)
    (array([[[[1.5, 4. ]]]]), (array([[[[2.5, 2.5, 3. , 3. ]]]]), {}))
    """

    count_include_pad: bool = True

    def counts(self, x: Array) -> Array:
        """Return how many numbers the mean of each window is of."""
        here = self.windows("avg_pool2d").of(np.ones((1, 1, *x.shape[-2:]), x.dtype), float(self.count_include_pad))
        return np.asarray(here.sum(axis=(4, 5)))

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, C, H, W) -> (n, C, H', W')."""
        check_images("avg_pool2d", x)
        return self.windows("avg_pool2d").of(x).sum(axis=(4, 5)) / self.counts(x), x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """Give each place of a window its share of dy."""
        share = (dy / self.counts(saved))[..., None, None]
        back = np.broadcast_to(share, (*dy.shape, *self.kernel_size))
        return self.windows("avg_pool2d").sums(back, saved.shape), {}


@dataclass
class GlobalAvgPool2d(Layer):
    """The mean of each channel. Source: Lin, Chen and Yan, ICLR 2014.

    Examples
    --------
    >>> layer = GlobalAvgPool2d()
    >>> y, saved = layer.forward(np.array([[[[1.0, 2.0]], [[4.0, 4.0]]]]), None)
    >>> y, layer.backward(y, saved)[0]
    (array([[1.5, 4. ]]), array([[[[0.75, 0.75]],
    <BLANKLINE>
            [[2.  , 2.  ]]]]))
    """

    def image_axes(self) -> int:
        """Return those of images."""
        return 2

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, tuple[int, ...]]:
        """(n, C, H, W) -> (n, C)."""
        check_images("global_avg_pool2d", x)
        return x.mean(axis=(2, 3)), x.shape

    def backward(self, dy: Array, saved: tuple[int, ...]) -> tuple[Array, dict[str, Array]]:
        """Give each place its share of dy."""
        return np.broadcast_to(dy[:, :, None, None] / (saved[2] * saved[3]), saved), {}
