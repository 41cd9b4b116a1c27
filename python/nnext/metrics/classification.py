"""Metrics of predicted labels: the confusion matrix and what is told from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nnext.metrics.arguments import both_labels

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

Average = Literal["auto", "binary", "macro", "micro", "weighted"]

__all__ = ["accuracy", "confusion_matrix", "f1", "precision", "recall"]


def accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, threshold: float = 0.5) -> float:
    """Share of rows whose predicted label is the true one.

    Parameters
    ----------
    y_true : integers of shape (n,) or (n, 1), or one-hot rows of shape (n, classes)
        The right labels.
    y_pred : labels of shape (n,), scores of shape (n, classes) or probabilities of shape (n, 1)
        The predictions.
    threshold : float
        Above which a probability of shape (n, 1) predicts class 1; 0 suits logits.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        When the lengths differ, there is no row, a shape does not fit, or a value is NaN or no label.

    Examples
    --------
    >>> accuracy([0, 1, 2], [0, 1, 1])
    0.6666666666666666
    >>> accuracy([0, 1], [[0.2, 0.1], [0.4, 0.9]])
    1.0
    >>> accuracy([0, 1], [[0.2], [0.9]])
    1.0
    """
    true, pred = both_labels("accuracy", y_true, y_pred, threshold)
    return float((true == pred).mean())


def confusion_matrix(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, labels: npt.ArrayLike | None = None, threshold: float = 0.5
) -> Array:
    """Count how often each true label got each prediction.

    Parameters
    ----------
    y_true, y_pred, threshold
        As in `accuracy`.
    labels : integers, optional
        The labels that rows and columns stand for, in this order; without it those that occur, sorted. Pairs with
        another label are left out.

    Returns
    -------
    int64 array of shape (labels, labels)
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
    true, pred = both_labels("confusion_matrix", y_true, y_pred, threshold)
    return count_pairs(true, pred, np.union1d(true, pred) if labels is None else np.asarray(labels, dtype=np.int64))


def count_pairs(true: Array, pred: Array, labels: Array) -> Array:
    order = np.argsort(labels)
    known = np.isin(true, labels) & np.isin(pred, labels)
    rows = order[np.searchsorted(labels, true[known], sorter=order)]
    columns = order[np.searchsorted(labels, pred[known], sorter=order)]
    k = len(labels)
    return np.bincount(rows * k + columns, minlength=k * k).reshape(k, k)


def precision(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, average: Average | None = "auto", threshold: float = 0.5
) -> Any:
    """Of the rows predicted to be of a class, the share that is: ``tp / (tp + fp)``; 0 where nothing was predicted.

    Parameters
    ----------
    y_true, y_pred, threshold
        As in `accuracy`.
    average : {"auto", "binary", "macro", "micro", "weighted"} or None
        "binary": of class 1 alone. "macro": the mean over the classes that occur. "weighted": the mean weighted by how
        often each class is true. "micro": over all rows together. None: an array, one number a class. "auto" is
        "binary" when no label other than 0 and 1 occurs and y_pred has at most two columns, else "macro".

    Returns
    -------
    float, or array of shape (classes,) with ``average=None``
        0 to 1.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        As `accuracy`; when `average` is unknown, or "binary" with other labels than 0 and 1.

    Examples
    --------
    >>> precision([0, 1, 1, 0], [0, 1, 0, 1])
    0.5
    >>> precision([0, 1, 2], [0, 2, 2], average=None)
    array([1. , 0. , 0.5])
    """
    hit, predicted, actual, mode = _counts("precision", y_true, y_pred, average, threshold)
    return _averaged(hit, predicted, actual, mode)


def recall(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, average: Average | None = "auto", threshold: float = 0.5
) -> Any:
    """Of the rows of a class, the share predicted to be: ``tp / (tp + fn)``; 0 where there is none.

    Parameters, results and errors are those of `precision`.

    Examples
    --------
    >>> recall([0, 1, 1, 1], [0, 1, 0, 1])
    0.6666666666666666
    """
    hit, _, actual, mode = _counts("recall", y_true, y_pred, average, threshold)
    return _averaged(hit, actual, actual, mode)


def f1(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, average: Average | None = "auto", threshold: float = 0.5
) -> Any:
    """Harmonic mean of precision and recall: ``2 tp / (2 tp + fp + fn)``; 0 where a class is neither.

    Parameters, results and errors are those of `precision`.

    Examples
    --------
    >>> f1([0, 1, 1, 1], [0, 1, 0, 1])
    0.8
    """
    hit, predicted, actual, mode = _counts("f1", y_true, y_pred, average, threshold)
    return _averaged(2 * hit, predicted + actual, actual, mode)


def _counts(
    metric: str, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, average: Average | None, threshold: float
) -> tuple[Array, Array, Array, str | None]:
    """Return per class how many rows are right, predicted and true, and how to average over the classes."""
    modes = ("auto", "binary", "macro", "micro", "weighted", None)
    if average not in modes:
        raise ValueError(f"[{metric}] unknown average {average!r}; use one of {', '.join(map(repr, modes))}")
    true, pred = both_labels(metric, y_true, y_pred, threshold)
    labels = np.union1d(true, pred)
    columns = np.shape(y_pred)[1] if np.ndim(y_pred) == 2 else 1
    zero_or_one = bool(np.isin(labels, (0, 1)).all())
    mode: str | None = average
    if average == "auto":
        mode = "binary" if zero_or_one and columns <= 2 else "macro"
    if mode == "binary":
        if not zero_or_one:
            raise ValueError(f"[{metric}] average is 'binary' but the labels are {labels.tolist()}; use 'macro'")
        labels = np.array([0, 1])
    table = count_pairs(true, pred, labels)
    hit, predicted, actual = table.diagonal(), table.sum(axis=0), table.sum(axis=1)
    if mode == "micro":
        return hit.sum(keepdims=True), predicted.sum(keepdims=True), actual.sum(keepdims=True), mode
    if mode == "binary":
        return hit[1:], predicted[1:], actual[1:], mode
    return hit, predicted, actual, mode


def _averaged(part: Array, whole: Array, actual: Array, mode: str | None) -> Any:
    """Divide, with 0 / 0 = 0, and average over the classes."""
    shares = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    if mode is None:
        return shares
    return float(np.average(shares, weights=actual if mode == "weighted" else None))
