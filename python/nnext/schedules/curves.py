"""Curves that have the same bits on every CPU: sums and products alone, which round alike everywhere.

NumPy's cos, exp, log and power differ from CPU to CPU in the last bits, and those of the C library from machine to
machine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

_LOG_2 = 0.6931471805599453  # math.log is the C library's


def anneal(first: float, last: float, share: Array) -> Array:
    """Return the values at shares, 0 to 1, of half a cosine from the first value to the last."""
    left = _half_cosine(share)
    return first * left + last * (1 - left)


def _half_cosine(t: Array) -> Array:
    """Return (1 + cos(pi t)) / 2 of 0 <= t <= 1.

    It is ``sin(x)^2`` with ``x = pi (1 - t) / 2``, or 1 less that with ``pi t / 2``: x is at most pi / 4, where nine
    terms of the sine's series leave less than half an ulp.
    """
    x = math.pi / 2 * np.minimum(t, 1 - t)
    square, term = x * x, x
    terms = [term]
    for n in range(3, 19, 2):
        term = term * square / (-n * (n - 1))
        terms.append(term)
    sine = sum(reversed(terms), start=np.zeros_like(x))  # the small ones first
    return np.where(t < 0.5, 1 - sine * sine, sine * sine)


def power(base: Array | float, exponent: Array | float) -> Array:
    """Return the powers of bases within (0, 1], with exponents from 0.

    They are ``base^n exp(f log(base))`` for the whole part n of the exponent and the rest f: whole powers are products
    of squares. The error is at most ``(n + 8) eps / 2``.
    """
    base, exponent = np.asarray(base), np.asarray(exponent)
    whole = np.floor(exponent)
    result: Array = np.ones(np.broadcast_shapes(base.shape, exponent.shape))
    with np.errstate(under="ignore"):  # large powers are 0
        result = result * _exp((exponent - whole) * _log(base))
        while np.any(whole):
            result = np.where(whole % 2 == 1, result * base, result)
            base, whole = base * base, np.floor(whole / 2)
    return result


def _log(x: Array) -> Array:
    """Return the logarithm of x > 0: of its power of two, and ``2 atanh((m - 1) / (m + 1))`` of the rest m.

    m is within a root of 2 from 1, where eleven terms of the series leave less than half an ulp.
    """
    rest, exponent = np.frexp(x)  # within [1/2, 1)
    is_small = rest < math.sqrt(0.5)
    rest, exponent = np.where(is_small, 2 * rest, rest), exponent - is_small
    z = (rest - 1) / (rest + 1)
    series = np.zeros_like(z)
    for n in range(21, 0, -2):
        series = series * (z * z) + 1 / n
    logarithm: Array = exponent * _LOG_2 + 2 * z * series
    return logarithm


def _exp(x: Array) -> Array:
    """Return the exponential of x <= 0: a power of two, and the series of what is left, at most log(2) / 2."""
    twos = np.rint(x / _LOG_2)
    rest = x - twos * _LOG_2
    series = np.ones_like(rest)
    for n in range(14, 0, -1):
        series = 1 + rest / n * series
    return np.ldexp(series, twos.astype(np.int64))
