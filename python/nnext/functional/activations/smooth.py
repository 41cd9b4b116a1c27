"""Activations that are a ReLU with a soft knee, each beside its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext import _check
from nnext.functional.activations.compute import gradient, value

__all__ = [
    "elu",
    "elu_grad",
    "gelu",
    "gelu_grad",
    "mish",
    "mish_grad",
    "selu",
    "selu_grad",
    "silu",
    "silu_grad",
    "softplus",
    "softplus_grad",
]

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.functional.activations.compute import Array


def elu(x: npt.ArrayLike, alpha: float = 1.0) -> Array:
    """Return x where x > 0, else ``alpha * (exp(x) - 1)``.

    Examples
    --------
    >>> elu([-100.0, -1.0, 2.0]).round(4)
    array([-1.    , -0.6321,  2.    ])
    """
    return value("elu", x, _check.number("elu", "alpha", alpha, above=0))


def elu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, alpha: float = 1.0) -> Array:
    """Return dy where x > 0, else ``dy * alpha * exp(x)``.

    Examples
    --------
    >>> elu_grad([-1.0, 0.0, 2.0], alpha=0.5).round(4)
    array([0.1839, 0.5   , 1.    ])
    """
    return gradient("elu", x, dy, _check.number("elu_grad", "alpha", alpha, above=0))


def selu(x: npt.ArrayLike) -> Array:
    """Return ``scale * x`` where x > 0, else ``scale * alpha * (exp(x) - 1)``; scale = 1.0507, alpha = 1.6733.

    Examples
    --------
    >>> selu([-100.0, -1.0, 2.0]).round(4)
    array([-1.7581, -1.1113,  2.1014])
    """
    return value("selu", x)


def selu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy * scale`` where x > 0, else ``dy * scale * alpha * exp(x)``.

    Examples
    --------
    >>> selu_grad([-1.0, 0.0, 2.0]).round(4)
    array([0.6468, 1.7581, 1.0507])
    """
    return gradient("selu", x, dy)


def softplus(x: npt.ArrayLike, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Return ``log(1 + exp(beta * x)) / beta``, and x where ``beta * x > threshold``.

    Examples
    --------
    >>> softplus([-100.0, 0.0, 30.0]).round(4)
    array([ 0.    ,  0.6931, 30.    ])
    """
    return value("softplus", x, *_softplus("softplus", beta, threshold))


def softplus_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Return ``dy * sigmoid(beta * x)``, and dy where ``beta * x > threshold``.

    Examples
    --------
    >>> softplus_grad([-100.0, 0.0, 30.0])
    array([3.72007598e-44, 5.00000000e-01, 1.00000000e+00])
    """
    return gradient("softplus", x, dy, *_softplus("softplus_grad", beta, threshold))


def _softplus(operation: str, beta: float, threshold: float) -> tuple[float, float]:
    return (
        _check.number(operation, "beta", beta, above=0),
        _check.number(operation, "threshold", threshold),
    )


def silu(x: npt.ArrayLike) -> Array:
    """Return ``x * sigmoid(x)``.

    Examples
    --------
    >>> silu([-1.0, 0.0, 1.0]).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    return value("silu", x)


def silu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy * s * (1 + x * (1 - s))`` with ``s = sigmoid(x)``.

    Examples
    --------
    >>> silu_grad([-1.0, 0.0, 1.0]).round(4)
    array([0.0723, 0.5   , 0.9277])
    """
    return gradient("silu", x, dy)


def mish(x: npt.ArrayLike) -> Array:
    """Return ``x * tanh(softplus(x))``.

    Examples
    --------
    >>> mish([-1.0, 0.0, 1.0]).round(4)
    array([-0.3034,  0.    ,  0.8651])
    """
    return value("mish", x)


def mish_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Return ``dy * (t + x * (1 - t^2) * sigmoid(x))`` with ``t = tanh(softplus(x))``.

    Examples
    --------
    >>> mish_grad([-1.0, 0.0, 1.0]).round(4)
    array([0.0592, 0.6   , 1.049 ])
    """
    return gradient("mish", x, dy)


def gelu(x: npt.ArrayLike, approximate: str = "none") -> Array:
    """Return ``x Phi(x)``, Phi being the standard normal distribution function.

    With ``approximate="tanh"`` ``x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``.

    Examples
    --------
    >>> gelu([-1.0, 0.0, 1.0]).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    return value(_gelu("gelu", approximate), x)


def gelu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, approximate: str = "none") -> Array:
    """Return ``dy * (Phi(x) + x phi(x))``, phi being Phi's derivative; with "tanh" the gradient of that form.

    Examples
    --------
    >>> gelu_grad([-1.0, 0.0, 1.0]).round(4)
    array([-0.0833,  0.5   ,  1.0833])
    """
    return gradient(_gelu("gelu_grad", approximate), x, dy)


def _gelu(operation: str, approximate: str) -> str:
    """Return the core's name of the form."""
    chosen = _check.choice(operation, "approximate", approximate, ("none", "tanh"))
    return "gelu_tanh" if chosen == "tanh" else "gelu"
