"""The matrix product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnext import _core

__all__ = ["matmul"]

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def matmul(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: Array | None = None,
) -> Array:
    """Return the matrix product of a and b, each transposed on demand.

    Parameters
    ----------
    a : array_like of shape (m, k), or (k, m) with transpose_a
    b : array_like of shape (k, n), or (n, k) with transpose_b
        Both with any strides; no copy of the whole is made.
    transpose_a, transpose_b : bool
    out : ndarray of shape (m, n), optional
        Where to write the result: C-contiguous, of its dtype.

    Returns
    -------
    ndarray of shape (m, n)

    Raises
    ------
    ValueError
        When the shapes do not fit.
    TypeError
        When an argument is no array of real numbers.

    Notes
    -----
    ``c[i, j] = sum_p a[i, p] b[p, j]``, summed in increasing order of p with one rounding a term, so that the result
    does not depend on the number of threads.

    Examples
    --------
    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]])
    array([[11.]])
    """
    return _core.matmul(a, b, bool(transpose_a), bool(transpose_b), out)
