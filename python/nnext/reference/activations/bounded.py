"""Activations between two limits, and the logarithm of one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array, as_float

__all__ = [
    "log_softmax",
    "log_softmax_grad",
    "sigmoid",
    "sigmoid_grad",
    "softmax",
    "softmax_grad",
    "softsign",
    "softsign_grad",
    "tanh",
    "tanh_grad",
]


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


def softsign(x: npt.ArrayLike) -> Array:
    """Softsign ``x / (1 + |x|)``, between -1 and 1. Source: Glorot and Bengio, AISTATS (2010).

    Written as ``1 / (1 / |x| + 1)`` with the sign of x, which has its limits at infinity.

    Examples
    --------
    >>> softsign([0.0, 1.0, -3.0])
    array([ 0.  ,  0.5 , -0.75])
    """
    x = as_float(x)
    with np.errstate(divide="ignore", over="ignore"):  # 1 / 0 and 1 / denormal are infinite
        return np.copysign(1 / (1 / np.abs(x) + 1), x)


def softsign_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `softsign`: ``dy / (1 + |x|)^2``.

    Examples
    --------
    >>> softsign_grad([0.0, 1.0, -3.0])
    array([1.    , 0.25  , 0.0625])
    """
    x = as_float(x)
    return np.asarray(np.asarray(dy, dtype=x.dtype) * (1 / (1 + np.abs(x))) ** 2)


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


def log_softmax(x: npt.ArrayLike) -> Array:
    """Turn each row of scores into the logarithms of probabilities, ``x_j - log sum_k exp(x_k)`` over the last axis.

    The logarithm of `softmax`, which has digits left where a probability rounds to 0.

    Examples
    --------
    >>> log_softmax([[0.0, 0.0], [100.0, 0.0]]).round(4)
    array([[  -0.6931,   -0.6931],
           [   0.    , -100.    ]])
    """
    x = as_float(x)
    shifted = x - x.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def log_softmax_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `log_softmax`: ``dy - softmax(x) sum_k dy_k`` in each row.

    Examples
    --------
    >>> log_softmax_grad([[0.0, 0.0]], dy=[[1.0, 0.0]])
    array([[ 0.5, -0.5]])
    """
    y = log_softmax(x)
    dy = np.broadcast_to(np.asarray(dy, dtype=y.dtype), y.shape)
    return np.asarray(dy - np.exp(y) * dy.sum(axis=-1, keepdims=True))
