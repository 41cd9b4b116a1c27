"""Pooling: fewer places of an image, a signal or a sequence, each standing for several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnext import layers as descriptions
from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer, check_images
from nnext.reference.layers.one_axis import OneAxis
from nnext.reference.layers.windows import Pair, Windows

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "GlobalAvgPool1d",
    "GlobalAvgPool2d",
    "GlobalMaxPool1d",
    "MaxPool1d",
    "MaxPool2d",
]


@dataclass
class _Pool(Layer):
    """Windows of each channel; without a stride they lie side by side."""

    called = "pool"  # in messages
    kernel_size: Pair
    stride: Pair | None = None
    padding: Pair = (0, 0)

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Take the settings as they are."""
        return cls(**vars(descriptions.Layer.from_config(config)))

    def image_axes(self) -> int | None:
        """Return those of images."""
        return 2

    def operation(self) -> str:
        """Return what messages call it."""
        return f"{self.called}{self.image_axes()}d"

    def windows(self) -> Windows:
        """Return where the windows lie."""
        return Windows(self.operation(), self.kernel_size, self.stride or self.kernel_size, self.padding, self.padding)


@dataclass
class _MaxPool(_Pool):
    """The largest number of each window; its gradient goes to the first of equal ones, row by row."""

    called = "max_pool"

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, C, H, W) -> (n, C, H', W')."""
        return np.asarray(self.seen(x).max(axis=-1)), x

    def seen(self, x: Array) -> Array:
        """Return what each window sees, row by row on the last axis; outside of the image that is -inf."""
        check_images(self.operation(), x)
        seen = self.windows().of(x, padding=-np.inf)
        return seen.reshape(*seen.shape[:4], self.kernel_size[0] * self.kernel_size[1])

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """Give dy to the first place of the maximum."""
        seen = self.seen(saved)
        back = np.zeros_like(seen)
        np.put_along_axis(back, seen.argmax(axis=-1)[..., None], dy[..., None], axis=-1)
        back = back.reshape(*seen.shape[:4], *self.kernel_size)
        return self.windows().sums(back, saved.shape), {}


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


class _OneLine(OneAxis):
    """Windows of one axis, which are those of one line."""

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Take windows of one line; what else is set stays."""
        d = dict(vars(descriptions.Layer.from_config(config)))
        kernel, stride, padding = (d.pop(name) for name in ("kernel_size", "stride", "padding"))
        return cls((1, kernel), None if stride is None else (1, stride), (0, padding), **d)  # type: ignore[call-arg]


@dataclass
class MaxPool1d(_OneLine, _MaxPool):
    """The maximum of each window of signals, which are images of one line here, (n, C, 1, L), or sequences (n, T, F).

    Examples
    --------
    >>> MaxPool1d((1, 2)).forward(np.array([[[[1.0, 2.0, 4.0, 4.0]]]]), None)[0]
    array([[[[2., 4.]]]])
    """


@dataclass
class _AvgPool(_Pool):
    """The mean of each window, of the zeros around it too or, without `count_include_pad`, of the image alone."""

    called = "avg_pool"
    count_include_pad: bool = True

    def counts(self, x: Array) -> Array:
        """Return how many numbers the mean of each window is of."""
        here = self.windows().of(np.ones((1, 1, *x.shape[-2:]), x.dtype), float(self.count_include_pad))
        return np.asarray(here.sum(axis=(4, 5)))

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, C, H, W) -> (n, C, H', W')."""
        check_images(self.operation(), x)
        return self.windows().of(x).sum(axis=(4, 5)) / self.counts(x), x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """Give each place of a window its share of dy."""
        share = (dy / self.counts(saved))[..., None, None]
        back = np.broadcast_to(share, (*dy.shape, *self.kernel_size))
        return self.windows().sums(back, saved.shape), {}


@dataclass
class AvgPool2d(_AvgPool):
    """The mean of each window, of the zeros around the image too or, without `count_include_pad`, of the image alone.

    Examples
    --------
    >>> layer = AvgPool2d((1, 2))
    >>> y, saved = layer.forward(np.array([[[[1.0, 2.0, 4.0, 4.0]]]]), None)
    >>> y, layer.backward(np.array([[[[5.0, 6.0]]]]), saved)
    (array([[[[1.5, 4. ]]]]), (array([[[[2.5, 2.5, 3. , 3. ]]]]), {}))
    """


@dataclass
class AvgPool1d(_OneLine, _AvgPool):
    """The mean of each window of signals, which are images of one line here, (n, C, 1, L), or sequences (n, T, F).

    Examples
    --------
    >>> AvgPool1d((1, 2)).forward(np.array([[[[1.0, 2.0, 4.0, 4.0]]]]), None)[0]
    array([[[[1.5, 4. ]]]])
    """


@dataclass
class _GlobalAvgPool(Layer):
    """The mean of each channel."""

    def image_axes(self) -> int | None:
        """Return those of images."""
        return 2

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, tuple[int, ...]]:
        """(n, C, H, W) -> (n, C)."""
        check_images(f"global_avg_pool{self.image_axes()}d", x)
        return x.mean(axis=(2, 3)), x.shape

    def backward(self, dy: Array, saved: tuple[int, ...]) -> tuple[Array, dict[str, Array]]:
        """Give each place its share of dy."""
        return np.broadcast_to(dy[:, :, None, None] / (saved[2] * saved[3]), saved), {}


@dataclass
class GlobalAvgPool2d(_GlobalAvgPool):
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


@dataclass
class GlobalAvgPool1d(OneAxis, _GlobalAvgPool):
    """The mean of each channel of signals, which are images of one line here, or of each feature of sequences.

    Examples
    --------
    >>> GlobalAvgPool1d().forward(np.array([[[1.0, 4.0], [2.0, 4.0]]]), None)[0]
    array([[1.5, 4. ]])
    """


@dataclass
class _GlobalMaxPool(Layer):
    """The largest number of each channel; its gradient goes to the first of equal ones."""

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, C, 1, L) -> (n, C)."""
        check_images("global_max_pool1d", x)
        return np.asarray(x.max(axis=(2, 3))), x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """Give dy to the first place of the maximum."""
        places = saved.reshape(*saved.shape[:2], -1)
        dx = np.zeros_like(places)
        np.put_along_axis(dx, places.argmax(axis=-1)[..., None], dy[..., None], axis=-1)
        return dx.reshape(saved.shape), {}


@dataclass
class GlobalMaxPool1d(OneAxis, _GlobalMaxPool):
    """The largest number of each channel of signals, which are images of one line here, or feature of sequences.

    Examples
    --------
    >>> layer = GlobalMaxPool1d()
    >>> y, saved = layer.forward(np.array([[[1.0, 4.0], [2.0, 4.0]]]), None)
    >>> y, layer.backward(np.array([[5.0, 6.0]]), saved)[0]
    (array([[2., 4.]]), array([[[0., 6.],
            [5., 0.]]]))
    """
