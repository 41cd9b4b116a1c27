"""Activations and their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _core

__all__ = [
    "gelu",
    "gelu_grad",
    "identity",
    "identity_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "log_softmax",
    "log_softmax_grad",
    "relu",
    "relu_grad",
    "sigmoid",
    "sigmoid_grad",
    "softmax",
    "softmax_grad",
    "tanh",
    "tanh_grad",
]

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def _gradient(name: str, x: npt.ArrayLike, dy: npt.ArrayLike, slope: float = 0.0) -> Array:
    return _core.activation_grad(name, x, _upstream(name, x, dy), slope)


def _upstream(name: str, x: npt.ArrayLike, dy: npt.ArrayLike) -> npt.ArrayLike:
    """Spread a single upstream gradient over x's shape."""
    if np.ndim(dy) == 0 and np.ndim(x) > 0:
        return np.broadcast_to(_core.as_array(dy, name, "dy"), np.shape(x))
    return dy


def identity(x: npt.ArrayLike) -> Array:
    """Return x.

    Examples
    --------
    >>> identity([1.0, -2.0])
    array([ 1., -2.])
    """
    return _core.activation("identity", x, 0.0)


def identity_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return dy.

    Examples
    --------
    >>> identity_grad([1.0, -2.0])
    array([1., 1.])
    """
    return _gradient("identity", x, dy)


def relu(x: npt.ArrayLike) -> Array:
    """Return ``max(x, 0)``.

    Examples
    --------
    >>> relu([1.0, -2.0])
    array([1., 0.])
    """
    return _core.activation("relu", x, 0.0)


def relu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return dy where x > 0, else 0.

    Examples
    --------
    >>> relu_grad([1.0, -2.0], [5.0, 5.0])
    array([5., 0.])
    """
    return _gradient("relu", x, dy)


def leaky_relu(x: npt.ArrayLike, negative_slope: float = 0.01) -> Array:
    """Return x where x >= 0, else ``negative_slope * x``.

    Examples
    --------
    >>> leaky_relu([1.0, -2.0], 0.5)
    array([ 1., -1.])
    """
    return _core.activation("leaky_relu", x, _slope("leaky_relu", negative_slope))


def leaky_relu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, negative_slope: float = 0.01) -> Array:
    """Return dy where x > 0, else ``negative_slope * dy``.

    Examples
    --------
    >>> leaky_relu_grad([1.0, -2.0], negative_slope=0.5)
    array([1. , 0.5])
    """
    return _gradient("leaky_relu", x, dy, _slope("leaky_relu_grad", negative_slope))


def _slope(operation: str, negative_slope: float) -> float:
    return _check.number(operation, "negative_slope", negative_slope, above=0)


def tanh(x: npt.ArrayLike) -> Array:
    """Return the hyperbolic tangent of x.

    Examples
    --------
    >>> tanh([0.0, 100.0])
    array([0., 1.])
    """
    return _core.activation("tanh", x, 0.0)


def tanh_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy * (1 - tanh(x)^2)``.

    Examples
    --------
    >>> tanh_grad([0.0, 100.0])
    array([1., 0.])
    """
    return _gradient("tanh", x, dy)


def sigmoid(x: npt.ArrayLike) -> Array:
    """Return ``1 / (1 + exp(-x))``.

    Examples
    --------
    >>> sigmoid([0.0, 100.0])
    array([0.5, 1. ])
    """
    return _core.activation("sigmoid", x, 0.0)


def sigmoid_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy * s * (1 - s)`` with ``s = sigmoid(x)``.

    Examples
    --------
    >>> sigmoid_grad([0.0, 100.0])
    array([0.25, 0.  ])
    """
    return _gradient("sigmoid", x, dy)


def gelu(x: npt.ArrayLike, approximate: str = "none") -> Array:
    """Return ``x Phi(x)``, Phi being the standard normal distribution function.

    With ``approximate="tanh"`` ``x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``.

    Examples
    --------
    >>> gelu([-1.0, 0.0, 1.0]).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    return _core.activation(_gelu("gelu", approximate), x, 0.0)


def gelu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, approximate: str = "none") -> Array:
    """Return ``dy * (Phi(x) + x phi(x))``, phi being Phi's derivative; with "tanh" the gradient of that form.

    Examples
    --------
    >>> gelu_grad([-1.0, 0.0, 1.0]).round(4)
    array([-0.0833,  0.5   ,  1.0833])
    """
    return _gradient(_gelu("gelu_grad", approximate), x, dy)


def _gelu(operation: str, approximate: str) -> str:
    """Return the core's name of the form."""
    chosen = _check.choice(operation, "approximate", approximate, ("none", "tanh"))
    return "gelu_tanh" if chosen == "tanh" else "gelu"


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
    return _core.softmax("softmax", x, _upstream("softmax", x, dy))


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
    return _core.softmax("log_softmax", x, _upstream("log_softmax", x, dy))
