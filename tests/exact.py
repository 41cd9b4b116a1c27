"""Activations and their derivatives in the widest type, by formulas that cancel nothing."""

import numpy as np

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


def activation(name: str, x: Array) -> Array:
    """Return the exact values of a row of `ACTIVATIONS`."""
    wide = exact(x)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if name.startswith("gelu"):
            near = np.clip(wide, -200, 200)  # from there on it is 0 or x
            return np.where(wide < -200, 0, np.where(wide > 200, wide, near * _below(near, "tanh" in name)[0]))
        return {
            "identity": lambda: wide,
            "relu": lambda: np.maximum(wide, 0),
            "leaky_relu": lambda: np.where(wide >= 0, wide, EXACT(0.25) * wide),
            "tanh": lambda: np.tanh(wide),
            "sigmoid": lambda: 1 / (1 + np.exp(-wide)),
        }[name]()


def derivative(name: str, x: Array) -> Array:
    """Return the exact derivatives of a row of `ACTIVATIONS`, for finite x."""
    wide = exact(x)
    with np.errstate(over="ignore", under="ignore"):
        if name.startswith("gelu"):
            near = np.clip(wide, -200, 200)
            below, density = _below(near, "tanh" in name)
            return below + near * density
        return {
            "identity": lambda: np.ones_like(wide),
            "relu": lambda: np.where(wide > 0, EXACT(1), EXACT(0)),
            "leaky_relu": lambda: np.where(wide > 0, EXACT(1), EXACT(0.25)),
            "tanh": lambda: 1 / np.cosh(wide) ** 2,
            "sigmoid": lambda: 1 / (1 + np.exp(-wide)) / (1 + np.exp(wide)),
        }[name]()
