"""The activations, each beside its gradient.

Every formula is written for one row or one element; NumPy repeats it. float32 arrays stay float32, everything else is
computed in float64. NaN in gives NaN out. In the names, ``x`` goes into an activation, ``y`` comes out, ``dy`` is the
gradient of the loss with respect to ``y``, and a function called ``..._grad`` gives the gradient with respect to its
first argument. `nnext.functional` has the same functions, with the same signatures, in C++.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array, as_float

__all__ = [
    "gelu",
    "gelu_grad",
    "identity",
    "identity_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "relu",
    "relu_grad",
    "sigmoid",
    "sigmoid_grad",
    "softmax",
    "softmax_grad",
    "tanh",
    "tanh_grad",
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


def tanh(x: npt.ArrayLike) -> Array:
    """Hyperbolic tangent, between -1 and 1.

    Examples
    --------
    >>> tanh([0.0, 1.0]).round(4)
    array([0.    , 0.7616])
    """
    return np.asarray(np.tanh(as_float(x)))


def tanh_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `tanh`: ``dy * (1 - y^2)``.

    Examples
    --------
    >>> tanh_grad([0.0, 1.0]).round(4)
    array([1.  , 0.42])
    """
    y = tanh(x)
    return np.asarray(np.asarray(dy, dtype=y.dtype) * (1 - y * y))


def sigmoid(x: npt.ArrayLike) -> Array:
    """Logistic function ``1 / (1 + exp(-x))``, between 0 and 1.

    Written with ``exp(-|x|)``, which never overflows.

    Examples
    --------
    >>> sigmoid([0.0, 1.0, -1000.0]).round(4)
    array([0.5   , 0.7311, 0.    ])
    """
    x = as_float(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `sigmoid`: ``dy * y * (1 - y)``.

    Examples
    --------
    >>> sigmoid_grad([0.0, 1.0]).round(4)
    array([0.25  , 0.1966])
    """
    y = sigmoid(x)
    return np.asarray(np.asarray(dy, dtype=y.dtype) * y * (1 - y))


_erfc = np.vectorize(math.erfc, otypes=[np.float64])
_TANH_SLOPE, _TANH_CUBIC = math.sqrt(2 / math.pi), 0.044715


def gelu(x: npt.ArrayLike, approximate: str = "none") -> Array:
    """Gaussian error linear unit, ``x Phi(x)``: x times the share of a normal distribution that lies below x.

    ``Phi(x) = erfc(-x / sqrt(2)) / 2`` keeps its digits where it is small. With ``approximate="tanh"`` the form
    ``x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``, written as ``x sigmoid(...)`` for the same reason. Source:
    Hendrycks and Gimpel, arXiv:1606.08415 (2016).

    Examples
    --------
    >>> gelu([-1.0, 0.0, 1.0]).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    x = as_float(x)
    wide = x.astype(np.float64)
    return np.asarray(wide * _below(wide, approximate), dtype=x.dtype)


def _below(x: Array, approximate: str) -> Array:
    """Return Phi(x), or what stands for it."""
    if approximate == "none":
        return np.asarray(_erfc(-x / math.sqrt(2)) / 2)
    return sigmoid(2 * _TANH_SLOPE * (x + _TANH_CUBIC * x * x * x))


def gelu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, approximate: str = "none") -> Array:
    """Gradient of `gelu`: ``dy (Phi(x) + x phi(x))`` with the density ``phi(x) = exp(-x^2 / 2) / sqrt(2 pi)``.

    Examples
    --------
    >>> gelu_grad([-1.0, 0.0, 1.0]).round(4)
    array([-0.0833,  0.5   ,  1.0833])
    """
    x = as_float(x)
    wide = x.astype(np.float64)
    below = _below(wide, approximate)
    if approximate == "none":
        density = np.exp(-wide * wide / 2) / math.sqrt(2 * math.pi)
    else:
        density = below * _below(-wide, approximate) * 2 * _TANH_SLOPE * (1 + 3 * _TANH_CUBIC * wide * wide)
    return np.asarray(np.asarray(dy, dtype=np.float64) * (below + wide * density), dtype=x.dtype)


def softmax(x: npt.ArrayLike) -> Array:
    """Turn each row of scores into probabilities, ``exp(x_j) / sum_k exp(x_k)`` over the last axis.

    Subtracting the row's maximum first changes nothing in the quotient and keeps ``exp`` from overflowing.

    Examples
    --------
    >>> softmax([[0.0, 0.0], [1000.0, 0.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    x = as_float(x)
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def softmax_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `softmax`: ``y * (dy - sum_k dy_k y_k)`` in each row.

    Examples
    --------
    >>> softmax_grad([[0.0, 0.0]], dy=[[1.0, 0.0]])
    array([[ 0.25, -0.25]])
    """
    y = softmax(x)
    dy = np.broadcast_to(np.asarray(dy, dtype=y.dtype), y.shape)
    return np.asarray(y * (dy - (dy * y).sum(axis=-1, keepdims=True)))
