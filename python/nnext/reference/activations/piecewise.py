"""Activations of straight pieces, and one with a piece of a parabola."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array, as_float

__all__ = [
    "hardswish",
    "hardswish_grad",
    "hardtanh",
    "hardtanh_grad",
    "identity",
    "identity_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "relu",
    "relu_grad",
]


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


def hardtanh(x: npt.ArrayLike, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """Give ``x`` between two limits, and the nearer limit beyond. Source: R. Collobert, thesis, Paris (2004).

    Examples
    --------
    >>> hardtanh([-3.0, 0.5, 3.0], max_val=2.0)
    array([-1. ,  0.5,  2. ])
    """
    return np.clip(as_float(x), min_val, max_val)


def hardtanh_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """Gradient of `hardtanh`: 0 where ``x <= min_val`` or ``x >= max_val`` (also at them, as in PyTorch), else ``dy``.

    Examples
    --------
    >>> hardtanh_grad([-1.0, 0.5, 3.0], max_val=2.0)
    array([0., 1., 0.])
    """
    x = as_float(x)
    return np.where((x <= min_val) | (x >= max_val), np.zeros_like(x), np.asarray(dy, dtype=x.dtype))


def hardswish(x: npt.ArrayLike) -> Array:
    """Give ``x (x + 3) / 6`` between -3 and 3, 0 below, x above. Source: Howard et al., arXiv:1905.02244 (2019).

    Examples
    --------
    >>> hardswish([-4.0, -1.5, 0.0, 3.0])
    array([ 0.   , -0.375,  0.   ,  3.   ])
    """
    x = as_float(x)
    near = np.where(x <= -3, np.zeros_like(x), np.minimum(x, 3))
    return np.where(x >= 3, x, near * (near + 3) / 6)


def hardswish_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `hardswish`: 0 where ``x <= -3``, ``dy`` where ``x >= 3``, as in PyTorch, else ``dy (x / 3 + 1/2)``.

    Examples
    --------
    >>> hardswish_grad([-3.0, -1.5, 0.0, 3.0])
    array([0. , 0. , 0.5, 1. ])
    """
    x = as_float(x)
    slope = np.where(x <= -3, 0, np.where(x >= 3, 1, np.clip(x, -3, 3) / 3 + 0.5)).astype(x.dtype)
    return np.asarray(slope * np.asarray(dy, dtype=x.dtype))
