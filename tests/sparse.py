"""Sparse matrices for tests, also without SciPy."""

from typing import Any

import numpy as np


class Csr:
    """What is read of a CSR matrix, and nothing else: no SciPy, no array."""

    format = "csr"

    def __init__(self, indptr: Any, indices: Any, data: Any, shape: tuple[int, ...]) -> None:
        self.indptr, self.indices, self.data, self.shape = indptr, indices, data, shape


class Other:
    """A sparse matrix of another format, which can be made CSR."""

    format = "other"

    def __init__(self, csr: Csr) -> None:
        self.csr, self.shape = csr, csr.shape

    def tocsr(self) -> Csr:
        return self.csr


def csr(dense: np.ndarray, index: str = "int32") -> Csr:
    """Return the entries of an array that are not zero."""
    rows, columns = np.nonzero(dense)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(dense)))])
    return Csr(starts.astype(index), columns.astype(index), dense[rows, columns], dense.shape)


def sparse_numbers(rng: np.random.Generator, rows: int, cols: int, dtype: str = "float32") -> np.ndarray:
    """Draw an array of which a fifth is not zero, with rows and columns that are empty."""
    dense = rng.normal(size=(rows, cols)) * 100 * (rng.random((rows, cols)) < 0.2)
    dense[rows // 2] = dense[-1] = 0
    dense[:, cols // 2] = 0
    return dense.astype(dtype)
