"""Functions in the widest type, by formulas that cancel nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from nnext import reference
from tolerance import EXACT, Array, exact

_PI = 4 * np.arctan(EXACT(1))


def upper_tail(x: Array) -> Array:
    """Return how much of the standard normal distribution lies above x >= 0."""
    z = x / np.sqrt(EXACT(2))
    near, far = np.minimum(z, EXACT(1.5)), np.maximum(z, EXACT(1.5))
    # erf(z) = 2 / sqrt(pi) exp(-z^2) sum of 2^n z^(2n+1) / (2n+1)!!: no term is negative. Below 1.5 the sum is done
    # after 60 terms, and 1 - erf(z) loses 5 of the 11 bits that the type has more than float64.
    term = total = near
    for n in range(1, 60):
        term = term * 2 * near * near / (2 * n + 1)
        total = total + term
    erfc = 1 - 2 / np.sqrt(_PI) * np.exp(-near * near) * total
    # From there on Laplace's continued fraction, from its 150th term upwards.
    fraction = far
    for n in range(150, 0, -1):
        fraction = far + EXACT(n) / 2 / fraction
    beyond = np.exp(-far * far) / fraction / np.sqrt(_PI)
    return np.where(z <= 1.5, erfc, beyond) / 2


def _below(x: Array, approximate: bool) -> tuple[Array, Array]:
    """Return Phi(x) and its derivative, or what stands for them; at numbers that are finite."""
    if approximate:
        slope = 2 * np.sqrt(2 / _PI)
        cubic = EXACT("0.044715")
        z = slope * x * (1 + cubic * x * x)
        s, rest = 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(z))
        return s, s * rest * slope * (1 + 3 * cubic * x * x)
    tail = upper_tail(np.abs(x))
    return np.where(x < 0, tail, 1 - tail), np.exp(-x * x / 2) / np.sqrt(2 * _PI)


def gelu(x: Array, approximate: bool = False) -> Array:
    """Return x Phi(x), or its form by tanh."""
    near = np.clip(x, -200, 200)  # from there on it is 0 or x
    return np.where(x < -200, 0, np.where(x > 200, x, near * _below(near, approximate)[0]))


def gelu_derivative(x: Array, approximate: bool = False) -> Array:
    """Return the derivative of `gelu`."""
    near = np.clip(x, -200, 200)
    below, density = _below(near, approximate)
    return below + near * density


# ---- Other activations ----------------------------------------------------------------------------------------------


def hardtanh(x: Array, min_val: float = -1, max_val: float = 1) -> Array:
    """Return x between two limits."""
    return np.clip(x, min_val, max_val)


def hardtanh_derivative(x: Array, min_val: float = -1, max_val: float = 1) -> Array:
    """Return the derivative of `hardtanh`."""
    return np.where((x > min_val) & (x < max_val), EXACT(1), EXACT(0))


def hardswish(x: Array) -> Array:
    """Return x (x + 3) / 6 between -3 and 3, 0 below, x above."""
    near = np.clip(x, -3, 3)
    return np.where(x > 3, x, near * (near + 3) / 6)


def hardswish_derivative(x: Array) -> Array:
    """Return the derivative of `hardswish`."""
    return np.where(x <= -3, EXACT(0), np.where(x >= 3, EXACT(1), np.clip(x, -3, 3) / 3 + EXACT(0.5)))


def softsign(x: Array) -> Array:
    """Return x / (1 + |x|)."""
    return np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x)))


def elu(x: Array, alpha: Any = 1) -> Array:
    """Return x where x > 0, else alpha (e^x - 1)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_derivative(x: Array, alpha: Any = 1) -> Array:
    """Return the derivative of `elu`."""
    return np.where(x > 0, EXACT(1), alpha * np.exp(np.minimum(x, 0)))


_SELU_SCALE, _SELU_ALPHA = EXACT("1.0507009873554804934193349852946"), EXACT("1.6732632423543772848170429916717")


def selu(x: Array) -> Array:
    """Return the ELU that keeps mean 0 and variance 1."""
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def selu_derivative(x: Array) -> Array:
    """Return the derivative of `selu`."""
    return _SELU_SCALE * elu_derivative(x, _SELU_ALPHA)


def softplus(x: Array, beta: float = 1, threshold: float = 20) -> Array:
    """Return log(1 + e^(beta x)) / beta, and x where beta x > threshold."""
    z = beta * x
    return np.where(z > threshold, x, (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / beta)


def softplus_derivative(x: Array, beta: float = 1, threshold: float = 20) -> Array:
    """Return the derivative of `softplus`."""
    return np.where(beta * x > threshold, EXACT(1), _sigmoid(beta * x))


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def silu(x: Array) -> Array:
    """Return x sigmoid(x)."""
    x = np.maximum(x, -1e4)  # from there on it is 0
    return x * _sigmoid(x)


def silu_derivative(x: Array) -> Array:
    """Return the derivative of `silu`."""
    x = np.clip(x, -1e4, 1e4)
    return _sigmoid(x) * (1 + x * _sigmoid(-x))


def _mish_share(x: Array) -> tuple[Array, Array]:
    """Return tanh(log(1 + e^x)), by e^-|x|, and its derivative."""
    e = np.exp(-np.abs(x))
    negative = x < 0
    dividend, divisor = (
        np.where(negative, e * (e + 2), 1 + 2 * e),
        np.where(negative, e * (e + 2) + 2, 1 + 2 * e * (1 + e)),
    )
    return dividend / divisor, 4 * np.where(negative, e, e * e) * (1 + e) / divisor**2


def mish(x: Array) -> Array:
    """Return x tanh(log(1 + e^x))."""
    x = np.maximum(x, -1e4)
    return x * _mish_share(x)[0]


def mish_derivative(x: Array) -> Array:
    """Return the derivative of `mish`."""
    x = np.clip(x, -1e4, 1e4)
    share, rise = _mish_share(x)
    return share + x * rise


def value(function: Callable[[Array], Array], x: Array) -> Array:
    """Return a function of x in the widest type, where it may overflow on the way; infinite beyond x's own type."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        y = function(exact(x))
    return np.where(np.abs(y) > np.finfo(x.dtype).max, np.copysign(np.inf, y), y)


# ---- What the core promises -----------------------------------------------------------------------------------------


def _logistic(x: Array) -> tuple[Array, Array]:
    """Return z of gelu's form by tanh, ``x sigmoid(z)``, and its derivative."""
    slope = 2 * np.sqrt(2 / np.pi)
    x = np.clip(np.asarray(x, np.float64), -40, 40)
    return slope * (x + 0.044715 * x**3), slope * (1 + 3 * 0.044715 * x**2)


def gelu_gradient_bound(x: Array) -> Array:
    """Return how far the core's gradient may be off, in units of eps times dy."""
    x = np.clip(np.asarray(x, np.float64), -40, 40)
    density = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    return 4 * (reference.gelu_grad(x) - x * density + np.abs(x) * density)


def gelu_tanh_gradient_bound(x: Array) -> Array:
    """Return how far the core's gradient may be off, in units of eps times dy."""
    z, slope = _logistic(x)
    s = reference.sigmoid(z)
    return 2.5 * (1 + np.abs(z)) * (s + np.clip(np.abs(x), 0, 40) * s * reference.sigmoid(-z) * slope)


def gelu_tanh_ulp(x: Array) -> Array:
    """Return how many ULP the core's value of the form by tanh may be off."""
    return np.asarray(3 * (1 + np.abs(_logistic(x)[0])))


def silu_gradient_bound(x: Array) -> Array:
    """Return how far the core's gradient may be off, in units of eps times dy."""
    x = np.clip(np.asarray(x, np.float64), -1e3, 1e3)
    s = reference.sigmoid(x)
    return np.asarray(3.5 * s * (1 + np.abs(x) * reference.sigmoid(-x)))


def mish_gradient_bound(x: Array) -> Array:
    """Return how far the core's gradient may be off, in units of eps times dy."""
    x = np.clip(np.asarray(x, np.float64), -1e3, 1e3)
    share = np.tanh(reference.softplus(x))
    return np.asarray(4 * (share + np.abs(reference.mish_grad(x) - share)))
