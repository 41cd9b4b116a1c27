"""Activations of straight pieces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array, as_float

__all__ = ["identity", "identity_grad", "leaky_relu", "leaky_relu_grad", "relu", "relu_grad"]


def identity(x: npt.ArrayLike) -> Array:
    """Give back ``x``.

    Examples
    --------
    >>> identity([-1.0, 2.0])
    array([-1.,  2.])
    """
    return as_float(x).copy()


def identity_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `identity`: ``dy``.

    Examples
    --------
    >>> identity_grad([-1.0, 2.0])
    array([1., 1.])
    """
    x = as_float(x)
    return np.broadcast_to(np.asarray(dy, dtype=x.dtype), x.shape).copy()


def relu(x: npt.ArrayLike) -> Array:
    """Rectified linear unit, ``max(0, x)``.

    Examples
    --------
    >>> relu([-1.0, 2.0])
    array([0., 2.])
    """
    return np.maximum(as_float(x), 0)


def relu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `relu`: 0 where ``x <= 0`` (also at 0, as in PyTorch), else ``dy``.

    Examples
    --------
    >>> relu_grad([-1.0, 0.0, 2.0], dy=3.0)
    array([0., 0., 3.])
    """
    x = as_float(x)
    return np.where(x <= 0, np.zeros_like(x), np.asarray(dy, dtype=x.dtype))


def leaky_relu(x: npt.ArrayLike, negative_slope: float = 0.01) -> Array:
    """Leaky rectified linear unit: ``x`` where ``x > 0``, else ``negative_slope * x``.

    Examples
    --------
    >>> leaky_relu([-1.0, 2.0], negative_slope=0.1)
    array([-0.1,  2. ])
    """
    x = as_float(x)
    return np.where(x > 0, x, negative_slope * x)


def leaky_relu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, negative_slope: float = 0.01) -> Array:
    """Gradient of `leaky_relu`: ``negative_slope * dy`` where ``x <= 0``, else ``dy``.

    Examples
    --------
    >>> leaky_relu_grad([-1.0, 2.0], negative_slope=0.1)
    array([0.1, 1. ])
    """
    x = as_float(x)
    slope = np.where(x <= 0, negative_slope, 1).astype(x.dtype)
    return np.asarray(slope * np.asarray(dy, dtype=x.dtype))
