"""Metrics of scores: where the right class stands among the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnext.metrics.arguments import check_lengths, numbers, to_labels

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["roc_auc", "top_k_accuracy"]


def top_k_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, k: int = 5) -> float:
    """Share of rows whose true label is among the k largest scores. Of equal scores the first column counts as larger.

    Parameters
    ----------
    y_true : integers of shape (n,) or (n, 1), or one-hot rows of shape (n, classes)
        The right labels.
    y_pred : array of shape (n, classes)
        Scores.
    k : int
        How many guesses count, 1 to classes.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        As `accuracy`; when y_pred has no columns to choose from, a label has no column, or k does not fit.

    Examples
    --------
    >>> top_k_accuracy([0, 1], [[0.5, 0.3, 0.2], [0.6, 0.1, 0.3]], k=2)
    0.5
    """
    scores = numbers("top_k_accuracy", "y_pred", y_pred)
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(f"[top_k_accuracy] y_pred has shape {scores.shape}; pass scores of shape (n, classes)")
    rows, classes = scores.shape
    if not 1 <= k <= classes:
        raise ValueError(f"[top_k_accuracy] k is {k} but y_pred has {classes} columns; choose k from 1 to {classes}")
    true = numbers("top_k_accuracy", "y_true", y_true)
    check_lengths("top_k_accuracy", true, scores)
    labels = to_labels("top_k_accuracy", "y_true", true, None)
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if outside.size:
        raise ValueError(
            f"[top_k_accuracy] label {labels[outside[0]]} at index {outside[0]} has no column; y_pred has {classes}"
        )
    own = scores[np.arange(rows), labels][:, None]
    earlier = np.arange(classes) < labels[:, None]
    ahead = (scores > own) | ((scores == own) & earlier)
    return float((ahead.sum(axis=1) < k).mean())


def roc_auc(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Area under the ROC curve of two classes: how probably a row of the higher label scores above one of the lower.

    Computed from ranks, equal scores sharing theirs (Mann and Whitney, Ann. Math. Stat. 18, 1947).

    Parameters
    ----------
    y_true : integers of shape (n,) or (n, 1), or one-hot rows of shape (n, 2)
        Two different labels.
    y_pred : array of shape (n,), (n, 1) or (n, 2)
        Scores: probabilities, logits or any number that grows with the higher label. Of two columns the difference
        counts.

    Returns
    -------
    float
        0.5 for guessing, 1 for a perfect order.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        When the lengths differ, a shape does not fit, a value is NaN, or y_true does not hold two labels.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    true, scores = numbers("roc_auc", "y_true", y_true), numbers("roc_auc", "y_pred", y_pred)
    check_lengths("roc_auc", true, scores)
    if scores.ndim > 2 or scores.size > 2 * len(scores):
        raise ValueError(
            f"[roc_auc] y_pred has shape {scores.shape}; pass scores of two classes, (n,), (n, 1) or (n, 2)"
        )
    scores = scores.astype(np.float64)
    score = scores[:, 1] - scores[:, 0] if scores.size == 2 * len(scores) else scores.reshape(len(scores))
    labels = to_labels("roc_auc", "y_true", true, None)
    classes = np.unique(labels)
    if len(classes) != 2:
        raise ValueError(f"[roc_auc] y_true holds the labels {classes.tolist()[:10]}; the curve needs exactly two")
    _, group, size = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(size) - (size - 1) / 2)[group.reshape(-1)]
    higher = labels == classes[1]
    n1, n0 = int(higher.sum()), int((~higher).sum())
    return float((rank[higher].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))
