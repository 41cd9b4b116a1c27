"""Batch normalization: every feature, or channel, brought to mean 0 and variance 1 over the batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer, check_images

__all__ = ["BatchNorm1d", "BatchNorm2d"]


class Saved(NamedTuple):
    """What a forward pass leaves for the way back, and for the running statistics; mean is None outside of training."""

    xhat: Array
    deviation: Array
    mean: Array | None
    unbiased: Array | None


@dataclass
class _BatchNorm(Layer):
    """For x of shape (n, channels, ...): statistics are of the samples and of all places."""

    running_mean: Array
    running_var: Array
    num_batches_tracked: Array
    weight: Array | None = None
    bias: Array | None = None
    eps: float = 1e-5
    momentum: float | None = 0.1

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layer around its arrays, whose sizes are its own."""
        return cls(**tensors, eps=config.get("eps", 1e-5), momentum=config.get("momentum", 0.1))

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Begin with what changes nothing."""
        ones, zeros = np.ones(config["num_features"]), np.zeros(config["num_features"])
        affine = {"weight": ones, "bias": zeros} if config.get("affine", True) else {}
        return {**affine, "running_mean": zeros, "running_var": ones, "num_batches_tracked": np.zeros(())}

    def parameters(self) -> dict[str, Array]:
        """Return weight and bias."""
        return {} if self.weight is None or self.bias is None else {"weight": self.weight, "bias": self.bias}

    def buffers(self) -> dict[str, Array]:
        """Return the running statistics."""
        return {
            "running_mean": self.running_mean,
            "running_var": self.running_var,
            "num_batches_tracked": self.num_batches_tracked,
        }

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Saved]:
        """(n, channels, ...) -> (n, channels, ...)."""
        axes, count = _all_but_channels(x), x.size // max(x.shape[1], 1)
        if draw is not None and count < 2:
            what = "row" if x.ndim == 2 else "place"
            raise ValueError(f"[batch_norm] x has {count} {what} but training needs 2; give more rows")
        mean, variance = (self.running_mean, self.running_var) if draw is None else (x.mean(axes), x.var(axes))
        deviation = np.sqrt(variance + self.eps)
        xhat = (x - _beside(mean, x)) / _beside(deviation, x)
        y = xhat
        if self.weight is not None and self.bias is not None:
            y = xhat * _beside(self.weight, x) + _beside(self.bias, x)
        if draw is None:
            return y, Saved(xhat, deviation, None, None)
        return y, Saved(xhat, deviation, mean, variance * count / (count - 1))

    def backward(self, dy: Array, saved: Saved) -> tuple[Array, dict[str, Array]]:
        """``dx = weight / deviation (dy - mean(dy) - xhat mean(dy xhat))``: mean and variance depend on x, too."""
        xhat, deviation, axes = saved.xhat, saved.deviation, _all_but_channels(dy)
        grads = {"weight": (dy * xhat).sum(axes), "bias": dy.sum(axes)} if self.weight is not None else {}
        if saved.mean is not None:
            dy = dy - dy.mean(axes, keepdims=True) - xhat * (dy * xhat).mean(axes, keepdims=True)
        return dy * _beside((1 if self.weight is None else self.weight) / deviation, dy), grads

    def update(self, saved: Saved) -> None:
        """Move the running statistics towards those of the batch."""
        if saved.mean is None or saved.unbiased is None:
            return
        self.num_batches_tracked += 1
        rate = float(1 / self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean[...] = (1 - rate) * self.running_mean + rate * saved.mean
        self.running_var[...] = (1 - rate) * self.running_var + rate * saved.unbiased


def _all_but_channels(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _beside(of_channels: Array, x: Array) -> Array:
    """Bring an array of a number for each channel into the shape that goes with x."""
    return of_channels.reshape(-1, *(1,) * (x.ndim - 2))


@dataclass
class BatchNorm1d(_BatchNorm):
    """``y = xhat * weight + bias`` with ``xhat = (x - mean) / sqrt(variance + eps)``, feature by feature.

    In training mean and variance are the batch's, otherwise the running ones, which `update` moves towards the batch's
    by `momentum` of the way; with None they are the mean over all batches. Source: Ioffe and Szegedy, ICML 2015.

    Parameters
    ----------
    running_mean, running_var : array of shape (num_features,)
    num_batches_tracked : array of shape ()
    weight, bias : array of shape (num_features,), or None for none
    eps : float
    momentum : float or None

    Examples
    --------
    >>> import numpy as np
    >>> layer = BatchNorm1d(np.zeros(1), np.ones(1), np.zeros(()))
    >>> y, saved = layer.forward(np.array([[1.0], [3.0]]), Draw(seed=0, layer=0, step=0))
    >>> layer.update(saved)
    >>> y.round(3), layer.running_mean, layer.running_var  # 0.9 * 1 + 0.1 * 2
    (array([[-1.],
           [ 1.]]), array([0.2]), array([1.1]))
    """


@dataclass
class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for images: for each channel, over the places of all images of the batch.

    Examples
    --------
    >>> layer = BatchNorm2d(np.zeros(1), np.ones(1), np.zeros(()))
    >>> y, saved = layer.forward(np.array([[[[1.0, 3.0]]]]), Draw(seed=0, layer=0, step=0))
    >>> y.round(3)
    array([[[[-1.,  1.]]]])
    """

    def image_axes(self) -> int:
        """Return those of images."""
        return 2

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Saved]:
        """(n, channels, H, W) -> (n, channels, H, W)."""
        check_images("batch_norm", x, len(self.running_mean))
        return super().forward(x, draw)
