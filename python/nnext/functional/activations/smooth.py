"""Activations that are a ReLU with a soft knee, each beside its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext import _check
from nnext.functional.activations.compute import gradient, value

__all__ = [
    "gelu",
    "gelu_grad",
]

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.functional.activations.compute import Array


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
