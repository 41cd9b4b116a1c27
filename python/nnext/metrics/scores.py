"""Scores of classes beside the true labels, and what their order tells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext.metrics.arguments import UndefinedError, mean, ratios

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Scores:
    """Scores of rows beside their labels, with the metrics that they tell.

    Parameters
    ----------
    true : int64 array of shape (n,)
    scores : array of shape (n,) or (n, classes)
    weight : float64 array of shape (n,) or None
    """

    def __init__(self, true: Array, scores: Array, weight: Array | None = None) -> None:
        self.true, self.scores = true, scores
        self._weight = ratios(weight)

    def _require_columns(self, metric: str) -> int:
        """Return how many classes there are, each label one of them."""
        if self.scores.ndim != 2 or self.scores.shape[1] < 2:
            raise ValueError(f"[{metric}] y_pred has shape {self.scores.shape}; pass scores of shape (n, classes)")
        classes = int(self.scores.shape[1])
        outside = np.flatnonzero((self.true < 0) | (self.true >= classes))
        if outside.size:
            raise ValueError(
                f"[{metric}] label {self.true[outside[0]]} at index {outside[0]} has no column; y_pred has {classes}"
            )
        return classes

    def top_k_accuracy(self, k: int = 5) -> float:
        """Return the share of rows whose label is among the k largest scores."""
        classes = self._require_columns("top_k_accuracy")
        if not 1 <= k <= classes:
            raise ValueError(
                f"[top_k_accuracy] k is {k} but y_pred has {classes} columns; choose k from 1 to {classes}"
            )
        own = np.take_along_axis(self.scores, self.true[:, None], axis=1)
        earlier = np.arange(classes) < self.true[:, None]
        ahead = (self.scores > own) | ((self.scores == own) & earlier)
        return float(mean(ahead.sum(axis=1) < k, self._weight))

    def roc_auc(self, average: str | None = "macro") -> Any:
        """Return the area under the curve, of two classes or of each against the rest."""
        averages = ("macro", "micro", "weighted", None)
        if average not in averages:
            raise ValueError(f"[roc_auc] unknown average {average!r}; use one of {', '.join(map(repr, averages))}")
        if self.scores.size > 2 * len(self.scores):
            return self._one_versus_rest(average)
        scores = self.scores.astype(np.float64)
        score = scores[:, 1] - scores[:, 0] if scores.size == 2 * len(scores) else scores.reshape(-1)
        labels = np.unique(self.true)
        if len(labels) > 2:
            raise ValueError(
                f"[roc_auc] y_true holds the labels {labels.tolist()[:10]} but y_pred has shape {self.scores.shape}; "
                "pass a column of scores for each label"
            )
        found = area(self.true == labels[-1], score, self._weight) if len(labels) == 2 else math.nan
        if math.isnan(found):
            raise UndefinedError(
                f"[roc_auc] y_true holds the labels {labels.tolist()}; the curve needs rows of two that count"
            )
        return found

    def _one_versus_rest(self, average: str | None) -> Any:
        classes = self._require_columns("roc_auc")
        is_class = self.true[:, None] == np.arange(classes)
        if average == "micro":
            weight = None if self._weight is None else np.repeat(self._weight, classes)
            return area(is_class.reshape(-1), self.scores.reshape(-1), weight)
        areas = np.array([area(is_class[:, c], self.scores[:, c], self._weight) for c in range(classes)])
        shares = mean(is_class, self._weight, axis=0)
        if average == "weighted":
            areas[shares == 0] = 0  # they count nothing
        weights = shares if average == "weighted" else None
        found = areas if average is None else float(np.average(areas, weights=weights))
        if np.isnan(areas).any():
            lacking = np.flatnonzero(np.isnan(areas)).tolist()[:10]
            raise UndefinedError(
                f"[roc_auc] y_true has no row that counts, or no other, of the classes {lacking}; their curves need "
                "both",
                found,
            )
        return found


def area(positive: Array, score: Array, weight: Array | None) -> float:
    """Return how probably a positive row scores above a negative one, half for ties; NaN without rows of both.

    Mann and Whitney, Ann. Math. Stat. 18 (1947).
    """
    levels, level = np.unique(score, return_inverse=True)
    level, counts = level.reshape(-1), np.ones(len(score)) if weight is None else weight
    high = np.bincount(level, counts * positive, len(levels))
    low = np.bincount(level, counts * ~positive, len(levels))
    if not (high.any() and low.any()):
        return math.nan
    below = np.cumsum(low) - low / 2
    return float((high * below).sum() / high.sum() / low.sum())
