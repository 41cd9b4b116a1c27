"""True and predicted labels, compared once for all metrics that ask."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from nnext.metrics.arguments import both, both_labels, mean, of_rows, ratios, weights

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

Average = Literal["auto", "binary", "macro", "micro", "weighted"]


class Counts(NamedTuple):
    """How often, or with which weight, each label that occurs is predicted rightly, predicted, and true."""

    labels: Array
    right: Array
    predicted: Array
    actual: Array


class Labels:
    """Labels of rows, the predicted ones beside the true ones, with the metrics that they tell.

    Parameters
    ----------
    true, pred : int64 arrays of shape (n,)
    weight : float64 array of shape (n,) or None
    columns : int
        Of which the predictions were the largest; up to two make "auto" averages "binary".
    """

    def __init__(self, true: Array, pred: Array, weight: Array | None = None, columns: int = 1) -> None:
        self.true, self.pred, self.columns = true, pred, columns
        self._weight = ratios(weight)

    @classmethod
    def of(
        cls,
        metric: str,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None,
        threshold: float | None,
    ) -> Labels:
        """Check the arguments of a metric."""
        given = both(metric, y_true, y_pred)
        true, pred, shape = both_labels(metric, *given, threshold)
        columns = given[1].size // len(pred)
        return cls(true, pred, of_rows(weights(metric, sample_weight, shape), len(true)), columns)

    # ---- What several metrics need ------------------------------------------------------------------------------

    @cached_property
    def _right(self) -> Array:
        """Whether each row is predicted rightly."""
        return np.asarray(self.true == self.pred)

    @cached_property
    def _counts(self) -> Counts:
        labels, true, pred = index(self.true, self.pred)

        def count(places: Array, rows: Array | slice = slice(None)) -> Array:
            weight = None if self._weight is None else self._weight[rows]
            return np.bincount(places[rows], weight, minlength=len(labels))

        return Counts(labels, count(true, self._right), count(pred), count(true))

    # ---- Metrics ------------------------------------------------------------------------------------------------

    def accuracy(self) -> float:
        """Return the share of rows that are right."""
        return float(mean(self._right, self._weight))

    def precision(self, average: Average | None = "auto") -> Any:
        """Return the right ones' share of the predicted ones."""
        counts, mode = self._averaged("precision", average)
        return _shares(counts.right, counts.predicted, counts.actual, mode)

    def recall(self, average: Average | None = "auto") -> Any:
        """Return the right ones' share of the true ones."""
        counts, mode = self._averaged("recall", average)
        return _shares(counts.right, counts.actual, counts.actual, mode)

    def f1(self, average: Average | None = "auto") -> Any:
        """Return the harmonic mean of both."""
        counts, mode = self._averaged("f1", average)
        return _shares(2 * counts.right, counts.predicted + counts.actual, counts.actual, mode)

    def _averaged(self, metric: str, average: Average | None) -> tuple[Counts, str | None]:
        """Return the counts to divide, and how to average over the quotients."""
        modes = ("auto", "binary", "macro", "micro", "weighted", None)
        if average not in modes:
            raise ValueError(f"[{metric}] unknown average {average!r}; use one of {', '.join(map(repr, modes))}")
        labels = self._counts.labels
        two = any(np.isin(labels, pair).all() for pair in ((0, 1), (-1, 1)))
        mode: str | None = average
        if average == "auto":
            mode = "binary" if two and self.columns <= 2 else "macro"
        if mode == "binary" and not two:
            raise ValueError(
                f"[{metric}] average is 'binary' but the labels are {labels.tolist()[:10]}; use 'macro', or labels 0 "
                "and 1, or -1 and 1"
            )
        if mode not in ("binary", "micro"):
            return self._counts, mode
        summed = labels == 1 if mode == "binary" else slice(None)
        return Counts(*(values[summed].sum(keepdims=True) for values in self._counts)), mode


def index(true: Array, pred: Array) -> tuple[Array, Array, Array]:
    """Return the labels that occur, sorted, and where among them the true and the predicted ones are."""
    low, high = min(true.min(), pred.min()), max(true.max(), pred.max())
    if int(high) - int(low) > 4 * len(true) + 64:  # such numbers are sorted, those of classes are counted
        labels, places = np.unique(np.concatenate((true, pred)), return_inverse=True)
        places = places.reshape(2, len(true))
        return labels, places[0], places[1]
    true, pred = true - low, pred - low
    occurs = np.zeros(int(high) - int(low) + 1, dtype=np.bool_)
    occurs[true] = occurs[pred] = True
    place = np.cumsum(occurs) - 1
    return np.flatnonzero(occurs) + low, place[true], place[pred]


def _shares(part: Array, whole: Array, actual: Array, mode: str | None) -> Any:
    """Divide, with 0 / 0 = 0, and average over the classes."""
    shares = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    if mode is None:
        return shares
    return float(np.average(shares, weights=actual if mode == "weighted" else None))
