"""Activations of straight pieces, and one with a piece of a parabola, each beside its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext import _check
from nnext.functional.activations.compute import gradient, value

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

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.functional.activations.compute import Array


def identity(x: npt.ArrayLike) -> Array:
    """Return x.

    Examples
    --------
    >>> identity([1.0, -2.0])
    array([ 1., -2.])
    """
    return value("identity", x)


def identity_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return dy.

    Examples
    --------
    >>> identity_grad([1.0, -2.0])
    array([1., 1.])
    """
    return gradient("identity", x, dy)


def relu(x: npt.ArrayLike) -> Array:
    """Return ``max(x, 0)``.

    Examples
    --------
    >>> relu([1.0, -2.0])
    array([1., 0.])
    """
    return value("relu", x)


def relu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return dy where x > 0, else 0.

    Examples
    --------
    >>> relu_grad([1.0, -2.0], [5.0, 5.0])
    array([5., 0.])
    """
    return gradient("relu", x, dy)


def leaky_relu(x: npt.ArrayLike, negative_slope: float = 0.01) -> Array:
    """Return x where x >= 0, else ``negative_slope * x``.

    Examples
    --------
    >>> leaky_relu([1.0, -2.0], 0.5)
    array([ 1., -1.])
    """
    return value("leaky_relu", x, _slope("leaky_relu", negative_slope))


def leaky_relu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, negative_slope: float = 0.01) -> Array:
    """Return dy where x > 0, else ``negative_slope * dy``.

    Examples
    --------
    >>> leaky_relu_grad([1.0, -2.0], negative_slope=0.5)
    array([1. , 0.5])
    """
    return gradient("leaky_relu", x, dy, _slope("leaky_relu_grad", negative_slope))


def _slope(operation: str, negative_slope: float) -> float:
    return _check.number(operation, "negative_slope", negative_slope, above=0)


def hardtanh(x: npt.ArrayLike, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """Return x where it lies between two limits, the nearer limit elsewhere.

    Examples
    --------
    >>> hardtanh([-3.0, 0.5, 3.0], max_val=2.0)
    array([-1. ,  0.5,  2. ])
    """
    return value("hardtanh", x, *_limits("hardtanh", min_val, max_val))


def hardtanh_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """Return dy where x lies between the limits, 0 at and beyond them.

    Examples
    --------
    >>> hardtanh_grad([-3.0, 0.5, 3.0], max_val=2.0)
    array([0., 1., 0.])
    """
    return gradient("hardtanh", x, dy, *_limits("hardtanh_grad", min_val, max_val))


def _limits(operation: str, min_val: float, max_val: float) -> tuple[float, float]:
    low = _check.number(operation, "min_val", min_val)
    return low, _check.number(operation, "max_val", max_val, above=low)


def hardswish(x: npt.ArrayLike) -> Array:
    """Return ``x (x + 3) / 6`` where x lies between -3 and 3, 0 below, x above.

    Examples
    --------
    >>> hardswish([-4.0, -1.5, 0.0, 3.0])
    array([ 0.   , -0.375,  0.   ,  3.   ])
    """
    return value("hardswish", x)


def hardswish_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy (x / 3 + 1 / 2)`` where x lies between -3 and 3, 0 below, dy above.

    Examples
    --------
    >>> hardswish_grad([-3.0, 0.0, 1.5, 3.0])
    array([0. , 0.5, 1. , 1. ])
    """
    return gradient("hardswish", x, dy)
