"""Activations that are a ReLU with a soft knee."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nnext.reference.activations.bounded import sigmoid
from nnext.reference.arrays import Array, as_float

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

_erfc = np.vectorize(math.erfc, otypes=[np.float64])
_TANH_SLOPE, _TANH_CUBIC = math.sqrt(2 / math.pi), 0.044715
_FAR = 1000.0  # e^-1000 is 0, and its product with an infinity would be NaN
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def elu(x: npt.ArrayLike, alpha: float = 1.0) -> Array:
    """Exponential linear unit: ``x`` where ``x > 0``, else ``alpha (exp(x) - 1)``.

    Source: Clevert, Unterthiner and Hochreiter, arXiv:1511.07289 (2015).

    Examples
    --------
    >>> elu([-100.0, -1.0, 2.0]).round(4)
    array([-1.    , -0.6321,  2.    ])
    """
    x = as_float(x)
    return np.asarray(np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))), dtype=x.dtype)


def elu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, alpha: float = 1.0) -> Array:
    """Gradient of `elu`: ``dy`` where ``x > 0``, else ``dy alpha exp(x)``.

    Examples
    --------
    >>> elu_grad([-1.0, 0.0, 2.0], alpha=0.5).round(4)
    array([0.1839, 0.5   , 1.    ])
    """
    x = as_float(x)
    return np.asarray(np.asarray(dy, x.dtype) * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0))), dtype=x.dtype)


def selu(x: npt.ArrayLike) -> Array:
    """Self-normalizing ELU, ``scale elu(x, alpha)``, with the fixed point of mean 0 and variance 1.

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, arXiv:1706.02515 (2017).

    Examples
    --------
    >>> selu([-100.0, -1.0, 2.0]).round(4)
    array([-1.7581, -1.1113,  2.1014])
    """
    return np.asarray(_SELU_SCALE * elu(x, _SELU_ALPHA))


def selu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `selu`: ``dy scale`` where ``x > 0``, else ``dy scale alpha exp(x)``.

    Examples
    --------
    >>> selu_grad([-1.0, 0.0, 2.0]).round(4)
    array([0.6468, 1.7581, 1.0507])
    """
    return np.asarray(_SELU_SCALE * elu_grad(x, dy, _SELU_ALPHA))


def softplus(x: npt.ArrayLike, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Smooth ReLU ``log(1 + exp(beta x)) / beta``, and x where ``beta x > threshold``, as in PyTorch.

    Written with ``exp(-|beta x|)``, which never overflows. Source: Dugas et al., NIPS 13 (2000).

    Examples
    --------
    >>> softplus([-100.0, 0.0, 30.0]).round(4)
    array([ 0.    ,  0.6931, 30.    ])
    """
    x = as_float(x)
    z = beta * x
    return np.where(z > threshold, x, (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / beta)


def softplus_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Gradient of `softplus`: ``dy`` where ``beta x > threshold``, else ``dy sigmoid(beta x)``.

    Examples
    --------
    >>> softplus_grad([-1.0, 0.0, 30.0]).round(4)
    array([0.2689, 0.5   , 1.    ])
    """
    x = as_float(x)
    z = beta * x
    return np.asarray(np.asarray(dy, dtype=x.dtype) * np.where(z > threshold, 1, sigmoid(z)), dtype=x.dtype)


def silu(x: npt.ArrayLike) -> Array:
    """Sigmoid linear unit, or Swish: ``x sigmoid(x)``. Source: Elfwing, Uchibe and Doya, arXiv:1702.03118 (2017).

    Examples
    --------
    >>> silu([-1.0, 0.0, 1.0]).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    x = np.maximum(as_float(x), -_FAR)
    return np.asarray(x * sigmoid(x))


def silu_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `silu`: ``dy s (1 + x (1 - s))`` with ``s = sigmoid(x)``.

    Examples
    --------
    >>> silu_grad([-1.0, 0.0, 1.0]).round(4)
    array([0.0723, 0.5   , 0.9277])
    """
    x = np.clip(as_float(x), -_FAR, _FAR)
    return np.asarray(np.asarray(dy, dtype=x.dtype) * sigmoid(x) * (1 + x * sigmoid(-x)))


def mish(x: npt.ArrayLike) -> Array:
    """Give ``x tanh(log(1 + exp(x)))``. Source: Misra, arXiv:1908.08681 (2019).

    Examples
    --------
    >>> mish([-1.0, 0.0, 1.0]).round(4)
    array([-0.3034,  0.    ,  0.8651])
    """
    x = np.maximum(as_float(x), -_FAR)
    return np.asarray(x * np.tanh(softplus(x)))


def mish_grad(x: npt.ArrayLike, dy: npt.ArrayLike = 1.0) -> Array:
    """Gradient of `mish`: ``dy (t + x (1 - t^2) sigmoid(x))`` with ``t = tanh(log(1 + exp(x)))``.

    ``1 - t^2`` is written as ``1 / cosh^2``, which cancels nothing.

    Examples
    --------
    >>> mish_grad([-1.0, 0.0, 1.0]).round(4)
    array([0.0592, 0.6   , 1.049 ])
    """
    x = np.clip(as_float(x), -_FAR, _FAR)
    s = np.minimum(softplus(x), 40)  # beyond, 1 / cosh^2 is 0 beside 1, and cosh may overflow
    slope = np.tanh(s) + x * sigmoid(x) / np.cosh(s) ** 2
    return np.asarray(np.asarray(dy, dtype=x.dtype) * slope)


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
