"""Metrics of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext.metrics.arguments import check_lengths, numbers

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["mae", "mse", "r2", "rmse"]


def _values(metric: str, y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Array, Array]:
    """Return both as float64 of shape (n, outputs); (n,) and (n, 1) mean the same."""
    true, pred = numbers(metric, "y_true", y_true), numbers(metric, "y_pred", y_pred)
    check_lengths(metric, true, pred)
    if true.shape != pred.shape and not true.size == pred.size == len(true):
        raise ValueError(f"[{metric}] y_true has shape {true.shape} but y_pred has {pred.shape}; they must be alike")
    return true.astype(np.float64).reshape(len(true), -1), pred.astype(np.float64).reshape(len(pred), -1)


def mse(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Mean squared error over all rows and outputs.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape, (n,) or (n, outputs)
        Right and predicted values; (n,) and (n, 1) mean the same.

    Returns
    -------
    float
        In the square of y's unit, 0 is perfect.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        When the shapes differ, there is no row, or a value is NaN.

    Examples
    --------
    >>> mse([1, 2], [1, 4])
    2.0
    """
    true, pred = _values("mse", y_true, y_pred)
    return float(((true - pred) ** 2).mean())


def rmse(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Root of the mean squared error of each output, averaged over the outputs; in y's unit.

    Parameters and errors are those of `mse`.

    Examples
    --------
    >>> rmse([1, 2], [4, 5])
    3.0
    """
    true, pred = _values("rmse", y_true, y_pred)
    return float(np.sqrt(((true - pred) ** 2).mean(axis=0)).mean())


def mae(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Mean absolute error over all rows and outputs, in y's unit.

    Parameters and errors are those of `mse`.

    Examples
    --------
    >>> mae([1, 2], [1, 4])
    1.0
    """
    true, pred = _values("mae", y_true, y_pred)
    return float(abs(true - pred).mean())


def r2(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Coefficient of determination, ``1 - sum (y - p)^2 / sum (y - mean y)^2``, averaged over the outputs.

    1 is perfect, 0 is no better than always saying the mean, below 0 is worse. An output that never changes counts 1
    where it is met exactly, else 0, as in scikit-learn.

    Parameters and errors are those of `mse`; at least two rows are needed.

    Examples
    --------
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    true, pred = _values("r2", y_true, y_pred)
    if len(true) < 2:
        raise ValueError(f"[r2] y_true has {len(true)} row; the spread of y needs at least 2")
    residual = ((true - pred) ** 2).sum(axis=0)
    spread = ((true - true.mean(axis=0)) ** 2).sum(axis=0)
    unexplained = np.divide(residual, spread, out=(residual > 0).astype(np.float64), where=spread > 0)
    return float(1 - unexplained.mean())
