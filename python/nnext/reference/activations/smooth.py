"""Activations that are a ReLU with a soft knee."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nnext.reference.activations.bounded import sigmoid
from nnext.reference.arrays import Array, as_float

__all__ = ["gelu", "gelu_grad"]

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
