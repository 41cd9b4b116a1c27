"""Activations between two limits, each beside its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext import _core
from nnext.functional.activations.compute import gradient, upstream, value

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

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.functional.activations.compute import Array


def tanh(x: npt.ArrayLike) -> Array:
    """Return the hyperbolic tangent of x.

    Examples
    --------
    >>> tanh([0.0, 100.0])
    array([0., 1.])
    """
    return value("tanh", x)


def tanh_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy * (1 - tanh(x)^2)``.

    Examples
    --------
    >>> tanh_grad([0.0, 100.0])
    array([1., 0.])
    """
    return gradient("tanh", x, dy)


def sigmoid(x: npt.ArrayLike) -> Array:
    """Return ``1 / (1 + exp(-x))``.

    Examples
    --------
    >>> sigmoid([0.0, 100.0])
    array([0.5, 1. ])
    """
    return value("sigmoid", x)


def sigmoid_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy * s * (1 - s)`` with ``s = sigmoid(x)``.

    Examples
    --------
    >>> sigmoid_grad([0.0, 100.0])
    array([0.25, 0.  ])
    """
    return gradient("sigmoid", x, dy)


def softsign(x: npt.ArrayLike) -> Array:
    """Return ``x / (1 + |x|)``.

    Examples
    --------
    >>> softsign([0.0, 1.0, -3.0])
    array([ 0.  ,  0.5 , -0.75])
    """
    return value("softsign", x)


def softsign_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy / (1 + |x|)^2``.

    Examples
    --------
    >>> softsign_grad([0.0, 1.0, -3.0])
    array([1.    , 0.25  , 0.0625])
    """
    return gradient("softsign", x, dy)


def softmax(x: npt.ArrayLike) -> Array:
    """Return ``exp(x) / sum(exp(x))`` along the last axis, computed from ``x - max(x)``.

    Examples
    --------
    >>> softmax([[1.0, 1.0]])
    array([[0.5, 0.5]])
    """
    return _core.softmax("softmax", x)


def softmax_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``s * (dy - sum(dy * s))`` with ``s = softmax(x)``, along the last axis.

    Examples
    --------
    >>> softmax_grad([[1.0, 1.0]], [[1.0, 0.0]])
    array([[ 0.25, -0.25]])
    """
    return _core.softmax("softmax", x, upstream("softmax", x, dy))


def log_softmax(x: npt.ArrayLike) -> Array:
    """Return ``x - log(sum(exp(x)))`` along the last axis, computed from ``x - max(x)``.

    Examples
    --------
    >>> log_softmax([[0.0, 0.0], [100.0, 0.0]]).round(4)
    array([[  -0.6931,   -0.6931],
           [   0.    , -100.    ]])
    """
    return _core.softmax("log_softmax", x)


def log_softmax_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy - softmax(x) * sum(dy)``, along the last axis.

    Examples
    --------
    >>> log_softmax_grad([[1.0, 1.0]], [[1.0, 0.0]])
    array([[ 0.5, -0.5]])
    """
    return _core.softmax("log_softmax", x, upstream("log_softmax", x, dy))
