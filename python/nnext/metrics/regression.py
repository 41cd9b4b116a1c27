"""Metrics of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext._calls import takes_hints
from nnext.metrics.arguments import both, or_nan, rows_of_numbers, weights
from nnext.metrics.values import Values

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["mae", "mse", "r2", "rmse"]


def _values(metric: str, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None) -> Values:
    """Check the arguments of a metric; (n,) and (n, 1) mean the same."""
    true, pred = both(metric, y_true, y_pred)
    if true.shape != pred.shape and not true.size == pred.size == len(true):
        raise ValueError(f"[{metric}] y_true has shape {true.shape} but y_pred has {pred.shape}; they must be alike")
    weight = weights(metric, sample_weight, pred.shape)
    rows = rows_of_numbers(pred)
    if weight is not None and weight.ndim > 1:
        weight = rows_of_numbers(weight)
    elif weight is not None:
        weight = weight.repeat(len(rows) // len(weight))
    return Values(rows_of_numbers(true), rows, weight)


@takes_hints
def mse(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean squared error over all rows and outputs.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape, (n,) or (n, outputs)
        Right and predicted values; (n,) and (n, 1) mean the same. Of steps (n, steps, outputs), or of pixels (n,
        outputs, height, width), each is a row.
    sample_weight : array_like of shape (n,), or of the shape of y_pred, optional
        How much each row, or each number, counts, >= 0; an output of which no row counts is left out.

    Returns
    -------
    float
        In the square of y's unit, 0 is perfect.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        When the shapes differ, there is no row, a value is NaN, or weights are negative, infinite or all 0.

    Examples
    --------
    >>> mse([1, 2], [1, 4])
    2.0
    >>> mse([1, 2], [1, 4], sample_weight=[3, 1])
    1.0
    """
    return _values("mse", y_true, y_pred, sample_weight).mse()


@takes_hints
def rmse(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Root of the mean squared error of each output, averaged over the outputs; in y's unit.

    Parameters and errors are those of `mse`.

    Examples
    --------
    >>> rmse([1, 2], [4, 5])
    3.0
    """
    return _values("rmse", y_true, y_pred, sample_weight).rmse()


@takes_hints
def mae(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean absolute error over all rows and outputs, in y's unit.

    Parameters and errors are those of `mse`.

    Examples
    --------
    >>> mae([1, 2], [1, 4])
    1.0
    """
    return _values("mae", y_true, y_pred, sample_weight).mae()


@takes_hints
def r2(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Coefficient of determination, ``1 - sum (y - p)^2 / sum (y - mean y)^2``, averaged over the outputs.

    1 is perfect, 0 is no better than always saying the mean, below 0 is worse. An output that never changes counts 1
    where it is met exactly, else 0, as in scikit-learn.

    Of a single row it is NaN, with a RuntimeWarning. Parameters and errors are those of `mse`.

    Examples
    --------
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    values = _values("r2", y_true, y_pred, sample_weight)
    return float(or_nan(values.r2))
