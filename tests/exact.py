"""Functions in the widest type, by formulas that cancel nothing."""

from collections.abc import Callable

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


def value(function: Callable[[Array], Array], x: Array) -> Array:
    """Return a function of x in the widest type, where it may overflow on the way."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return function(exact(x))


# ---- What the core promises of GELU ---------------------------------------------------------------------------------


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
