"""True and predicted numbers, compared once for all metrics that ask."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext.metrics.arguments import UndefinedError, mean, ratios

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Values:
    """Numbers of rows, the predicted ones beside the true ones, with the metrics that they tell.

    Parameters
    ----------
    true, pred : arrays of shape (n, outputs)
    weight : float64 array of shape (n,) or (n, outputs), or None
        Outputs of which no row counts are left out.
    """

    def __init__(self, true: Array, pred: Array, weight: Array | None = None) -> None:
        if weight is not None and weight.ndim == 2:
            counts = weight.any(axis=0)
            true, pred, weight = true[:, counts], pred[:, counts], weight[:, counts]
        self.true, self.pred = true.astype(np.float64), pred.astype(np.float64)
        self._weight = ratios(weight)

    @cached_property
    def _errors(self) -> Array:
        return self.true - self.pred

    @cached_property
    def _squares(self) -> Array:
        return np.asarray(self._errors**2)

    @cached_property
    def _mean_squares(self) -> Array:
        """The mean squared error of each output."""
        return np.asarray(mean(self._squares, self._weight, axis=0))

    def mse(self) -> float:
        """Return the mean squared error over all."""
        return float(mean(self._squares, self._weight))

    def rmse(self) -> float:
        """Return the root of the mean squared error, averaged over the outputs."""
        return float(np.sqrt(self._mean_squares).mean())

    def mae(self) -> float:
        """Return the mean absolute error over all."""
        return float(mean(abs(self._errors), self._weight))

    def r2(self) -> float:
        """Return the coefficient of determination, averaged over the outputs."""
        if len(self.true) < 2:
            raise UndefinedError(f"[r2] y_true has {len(self.true)} row; the spread of y needs at least 2")
        shifted = self.true - self.true[0]  # so that what never changes has no spread at all
        spread = mean((shifted - mean(shifted, self._weight, axis=0)) ** 2, self._weight, axis=0)
        missed = (self._mean_squares > 0).astype(np.float64)
        return float(1 - np.divide(self._mean_squares, spread, out=missed, where=spread > 0).mean())
