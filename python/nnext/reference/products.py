"""The matrix product."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array, as_float

__all__ = ["matmul"]


def matmul(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: Array | None = None,
) -> Array:
    """Multiply two matrices.

    Parameters
    ----------
    a : array of shape (m, k), or (k, m) with `transpose_a`
    b : array of shape (k, n), or (n, k) with `transpose_b`
    transpose_a, transpose_b : bool
        Read the matrix as its transpose.
    out : array of shape (m, n), optional
        Where the result goes.

    Returns
    -------
    array of shape (m, n)
        ``c[i, j] = sum over p of a[i, p] * b[p, j]``.

    Raises
    ------
    ValueError
        When an argument is no matrix or the inner sizes differ.

    Examples
    --------
    >>> matmul([[1, 2]], [[3, 4]], transpose_b=True)
    array([[11.]])
    """
    a, b = as_float(a), as_float(b)
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"[matmul] a has shape {a.shape} and b {b.shape}; both must have 2 dimensions")
    a, b = (a.T if transpose_a else a), (b.T if transpose_b else b)
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"[matmul] a has shape {a.shape} and b {b.shape}; the columns of a must be the rows of b")
    return np.matmul(a, b, out=out)
