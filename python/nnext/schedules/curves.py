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
