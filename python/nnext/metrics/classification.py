"""Metrics of predicted labels: the confusion matrix, and shares of rows that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext._calls import takes_hints
from nnext.metrics.arguments import both, both_labels, of_rows, weights
from nnext.metrics.labels import Average, Labels, index

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["accuracy", "confusion_matrix", "f1", "precision", "recall"]


@takes_hints
def accuracy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    *,
    threshold: float | None = None,
) -> float:
    """Share of rows whose predicted label is the true one.

    Parameters
    ----------
    y_true : integers of shape (n,) or (n, 1), or one-hot rows of shape (n, classes)
        The right labels; of steps (n, steps), of pixels (n, height, width), each of which is a row then.
    y_pred : labels of the shape of y_true, scores of shape (n, classes) or probabilities of shape (n, 1)
        The predictions; scores of steps are (n, steps, classes), of pixels (n, classes, height, width).
    sample_weight : array_like of shape (n,), or of that of the labels, optional
        How much each row counts, >= 0, as in scikit-learn.
    threshold : float, optional
        Above which a probability of shape (n, 1) predicts class 1, by default 0.5; 0 suits logits.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        When the lengths differ, there is no row, a shape does not fit, or a value is NaN or no label; for a threshold
        without probabilities, and weights that are negative, infinite or all 0.

    Examples
    --------
    >>> accuracy([0, 1, 2], [0, 1, 1])
    0.6666666666666666
    >>> accuracy([0, 1, 2], [0, 1, 1], sample_weight=[1, 1, 2])
    0.5
    >>> accuracy([0, 1], [[0.2, 0.1], [0.4, 0.9]])
    1.0
    >>> accuracy([0, 1], [[0.2], [0.9]])
    1.0
    """
    return Labels.of("accuracy", y_true, y_pred, sample_weight, threshold).accuracy()


@takes_hints
def confusion_matrix(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    *,
    labels: npt.ArrayLike | None = None,
    threshold: float | None = None,
) -> Array:
    """Count how often each true label got each prediction.

    Parameters
    ----------
    y_true, y_pred, sample_weight, threshold
        As in `accuracy`.
    labels : integers, optional
        The labels that rows and columns stand for, in this order; without it those that occur, sorted. Pairs with
        another label are left out.

    Returns
    -------
    int64 array of shape (labels, labels), float64 with weights that are not integers
        Row: true label. Column: predicted label.

    Raises
    ------
    TypeError, ValueError
        As `accuracy`.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1], [0, 1, 0])
    array([[1, 0],
           [1, 1]])
    """
    metric = "confusion_matrix"
    true, pred, shape = both_labels(metric, *both(metric, y_true, y_pred), threshold)
    weight = of_rows(weights(metric, sample_weight, shape), len(true))
    found, rows, columns = index(true, pred)
    table = np.bincount(rows * len(found) + columns, weight, minlength=len(found) ** 2).reshape(len(found), -1)
    if labels is not None:
        table = _chosen(table, found, np.asarray(labels, dtype=np.int64))
    return table.astype(np.int64) if weight is None or np.asarray(sample_weight).dtype.kind in "biu" else table


def _chosen(table: Array, found: Array, labels: Array) -> Array:
    """Return the rows and columns of some labels; of those that do not occur, they are zero."""
    places = np.searchsorted(found, labels).clip(max=len(found) - 1)
    occurs = found[places] == labels
    return np.where(occurs[:, None] & occurs, table[np.ix_(places, places)], 0)


@takes_hints
def precision(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    *,
    average: Average | None = "auto",
    threshold: float | None = None,
) -> Any:
    """Of the rows predicted to be of a class, the share that is: ``tp / (tp + fp)``; 0 where nothing was predicted.

    Parameters
    ----------
    y_true, y_pred, sample_weight, threshold
        As in `accuracy`.
    average : {"auto", "binary", "macro", "micro", "weighted"} or None
        "binary": of class 1 alone, of labels 0 and 1, or -1 and 1. "macro": the mean over the classes that occur, in
        y_true or y_pred and with whatever weight, as in scikit-learn. "weighted": the mean weighted by how often each
        class is true. "micro": over all rows together. None: an array, one number a class. "auto" is "binary" when no
        other labels occur and y_pred has at most two columns, else "macro".

    Returns
    -------
    float, or array of shape (classes,) with ``average=None``
        0 to 1.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        As `accuracy`; when `average` is unknown, or "binary" with other labels.

    Notes
    -----
    Where scikit-learn warns of 0 / 0, this is 0 as well, without a warning.

    Examples
    --------
    >>> precision([0, 1, 1, 0], [0, 1, 0, 1])
    0.5
    >>> precision([0, 1, 2], [0, 2, 2], average=None)
    array([1. , 0. , 0.5])
    """
    return Labels.of("precision", y_true, y_pred, sample_weight, threshold).precision(average)


@takes_hints
def recall(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    *,
    average: Average | None = "auto",
    threshold: float | None = None,
) -> Any:
    """Of the rows of a class, the share predicted to be: ``tp / (tp + fn)``; 0 where there is none.

    Parameters, results and errors are those of `precision`.

    Examples
    --------
    >>> recall([0, 1, 1, 1], [0, 1, 0, 1])
    0.6666666666666666
    """
    return Labels.of("recall", y_true, y_pred, sample_weight, threshold).recall(average)


@takes_hints
def f1(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    *,
    average: Average | None = "auto",
    threshold: float | None = None,
) -> Any:
    """Harmonic mean of precision and recall: ``2 tp / (2 tp + fp + fn)``; 0 where a class is neither.

    Parameters, results and errors are those of `precision`.

    Examples
    --------
    >>> f1([0, 1, 1, 1], [0, 1, 0, 1])
    0.8
    """
    return Labels.of("f1", y_true, y_pred, sample_weight, threshold).f1(average)
