"""Tolerances told from the numbers that are compared and from the rounding unit, never tuned.

A sum of k products is off by at most ``gamma_k (|a| @ |b|)`` (N. J. Higham, *Accuracy and Stability of Numerical
Algorithms*, 2nd ed., section 3.5). The functions below give such bounds element by element; the tests assert
``|computed - exact| <= bound``. "Exact" is computed in `EXACT`, which has at least 11 more bits than float64 on x86.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

EXACT = np.longdouble  # 64 bits of mantissa on x86-64, 113 on aarch64
ULP = 2.5  # what csrc/kernels/simd/math.h promises for exp, log, log1p, tanh and sigmoid


def eps(dtype: npt.DTypeLike) -> float:
    """Return the distance from 1 to the next number."""
    return float(np.finfo(dtype).eps)


def tiny(dtype: npt.DTypeLike) -> float:
    """Return the largest error that underflow adds to one operation."""
    return float(np.finfo(dtype).smallest_subnormal)


def exact(x: npt.ArrayLike) -> Array:
    """Return x in the widest type."""
    return np.asarray(x).astype(EXACT)


def product_bound(a: npt.ArrayLike, b: npt.ArrayLike, dtype: npt.DTypeLike, c: float = 1.0) -> Array:
    """Bound the error of ``a @ b`` computed in `dtype`: ``c (k + 2) eps (|a| @ |b|)``.

    The k + 2 leaves room for a bias and for a reference that rounds its result once.
    """
    a, b = np.abs(np.asarray(a, np.float64)), np.abs(np.asarray(b, np.float64))
    terms = a.shape[-1] + 2
    return np.asarray(c * terms * (eps(dtype) * (a @ b) + tiny(dtype)))


def ulp_error(computed: Array, exact_value: Array) -> Array:
    """Return how many units in the last place of the exact value's neighbourhood the computed one is off."""
    half = np.finfo(computed.dtype).max / 2  # the spacing at the largest number overflows
    unit = np.spacing(np.minimum(np.abs(exact_value).astype(computed.dtype), half))
    return np.asarray(np.abs(computed.astype(EXACT) - exact_value) / unit.astype(EXACT))


def assert_within(computed: npt.ArrayLike, expected: npt.ArrayLike, bound: npt.ArrayLike) -> None:
    """Assert ``|computed - expected| <= bound`` element by element; NaN in one of them only is a failure."""
    computed, expected = np.asarray(computed), np.asarray(expected)
    assert computed.shape == expected.shape
    with np.errstate(invalid="ignore"):  # inf - inf; equal infinities are told below
        error = np.abs(computed.astype(EXACT) - expected.astype(EXACT))
    bound = np.broadcast_to(np.asarray(bound, EXACT), error.shape)
    same = (computed == expected) | (np.isnan(computed) & np.isnan(expected))  # infinities, too
    wrong = ~(same | (error <= bound))
    if wrong.any():
        at = tuple(int(i[0]) for i in np.nonzero(wrong))
        raise AssertionError(
            f"{wrong.sum()} of {wrong.size} are out of bounds, the first at {at}: "
            f"{computed[at]!r} for {expected[at]!r}, {float(error[at]):.3g} > {float(bound[at]):.3g}"
        )


def assert_relative(computed: npt.ArrayLike, expected: npt.ArrayLike, tolerance: float) -> None:
    """Assert that the largest difference is at most `tolerance` times the largest expected magnitude."""
    computed, expected = np.asarray(computed), np.asarray(expected)
    assert_within(computed, expected, tolerance * np.abs(np.asarray(expected, np.float64)).max(initial=0.0))


def shares_of_bounds(computed: npt.ArrayLike, expected: npt.ArrayLike, bound: npt.ArrayLike) -> Array:
    """Assert as `assert_within`; return each error as a share of its bound, where that is not 0."""
    assert_within(computed, expected, bound)
    bound = np.broadcast_to(np.asarray(bound, np.float64), np.shape(computed))
    error = np.abs(np.asarray(computed, np.float64) - np.asarray(expected, np.float64))
    return np.asarray(error[bound > 0] / bound[bound > 0])


def assert_bounds_say_something(shares: list[Array]) -> None:
    """Assert that the median error is at least a hundredth of its bound: a digit that is lost then shows."""
    everything = np.concatenate(shares) if shares else np.empty(0)
    if everything.size:
        assert np.median(everything) >= 0.01, f"the median error is {np.median(everything):.2g} of its bound"


def difference_bound(loss: float, grads: dict[str, Array], at_most: float = 1e-6) -> float:
    """Bound what `nnext.gradcheck` finds for right gradients.

    Both losses of a central difference are off by some 10 roundings, eps / 2 each, and so is their quotient by the
    step h = eps^(1/3); the third derivative adds as much, h^2 / 6. gradcheck divides by the array's largest gradient,
    or a thousandth of the largest of all.
    """
    sizes = [float(np.abs(g).max()) for g in grads.values()]
    smallest = max(min(sizes), 1e-3 * max(sizes))
    return min(at_most, 10 * eps("float64") ** (2 / 3) * max(loss, max(sizes)) / smallest)
