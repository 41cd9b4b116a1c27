"""Batch normalization: every feature, or channel, brought to mean 0 and variance 1 over the batch."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import flag, number, size
from nnext.layers.base import Layer

__all__ = ["BatchNorm1d", "BatchNorm2d"]


class _BatchNorm(Layer, abstract=True):
    """What normalization of features and of channels have in common."""

    num_features: int = size()
    eps: float = number(default=1e-5, above=0)
    momentum: float | None = number(default=0.1, low=0, high=1, optional=True)
    _: KW_ONLY
    affine: bool = flag(default=True)


class BatchNorm1d(_BatchNorm):
    """``y = (x - mean) / sqrt(variance + eps) * weight + bias`` for each feature. Ioffe and Szegedy, ICML 2015.

    In training mean and variance are those of the batch, so it needs two rows; the variance is the biased one, divided
    by n. Every step of `fit`, and every `step` of a loop of one's own, moves the running statistics towards them
    (``running = (1 - momentum) running + momentum of_batch``, the variance then unbiased); `forward` alone does not.
    Predictions and evaluation use the running statistics, and so does training once the layer is frozen, which keeps
    them.

    Parameters
    ----------
    num_features : int
        Columns of x.
    eps : float
        Keeps the quotient finite, > 0.
    momentum : float or None
        How far a step moves the running statistics, from 0 to 1; None makes them the mean over all batches.
    affine : bool
        Whether there are a weight and a bias, which start from 1 and 0.

    Raises
    ------
    ValueError, TypeError
        For values out of range; from `fit`, before its first step, and from `forward` in training for a batch of one
        row.

    Notes
    -----
    ``state_dict`` has, as PyTorch's, ``weight``, ``bias``, ``running_mean`` and ``running_var`` of shape
    (num_features,), and ``num_batches_tracked`` of shape (), here in the model's dtype. The last three are no
    parameters: they have no gradients, and no optimizer changes them. The sums over the rows have the same bits for any
    number of threads.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.BatchNorm1d(2))
    >>> X = [[1.0, 100.0], [3.0, 300.0]]
    >>> model.forward(X, training=True).round(3)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.0))
    >>> history = model.fit(X, X, epochs=100, verbose=0)
    >>> model.state_dict()["0.running_mean"].round(1)
    array([  2., 200.], dtype=float32)
    """


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for images: for each channel, over the places of all images of the batch, as in PyTorch.

    Parameters
    ----------
    num_features : int
        Channels of x.
    eps, momentum, affine
        As for `BatchNorm1d`; the unbiased variance is of ``n H W`` numbers.

    Raises
    ------
    ValueError, TypeError
        For values out of range; from `fit`, before its first step, and from `forward` in training for a batch of one
        image with one place.

    Notes
    -----
    ``state_dict`` has the arrays of `BatchNorm1d`. Images without an axis of channels, (n, H, W), have one channel.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.BatchNorm2d(1))
    >>> model.forward(np.array([[[[1.0, 3.0]]]]), training=True).round(3)
    array([[[[-1.,  1.]]]], dtype=float32)
    """
