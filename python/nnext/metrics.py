# Longer than most files for its docstrings: the code of a metric is two to ten lines.
"""How good predictions are: numbers for people, where a loss is a number for the optimizer.

Every metric is ``metric(y_true, y_pred)``, as in scikit-learn, and agrees with scikit-learn's. The metrics of
classification take predicted labels or what a network gives: ``(n, classes)`` scores, whose largest in a row is the
prediction, or an ``(n, 1)`` column of probabilities, which predicts class 1 above 0.5. True labels may be one-hot rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
Metric = Callable[[Any, Any], float]
Average = Literal["auto", "binary", "macro", "micro", "weighted"]


# ---- Arguments ------------------------------------------------------------------------------------------------------


def _numbers(metric: str, name: str, values: npt.ArrayLike) -> Array:
    """Return an array of numbers with one row a sample and no NaN."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"[{metric}] {name} has dtype {array.dtype}; pass numbers (labels as integers)")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"[{metric}] {name} has shape {array.shape}; a metric needs at least one row and column")
    bad = np.argwhere(np.isnan(array))
    if len(bad):
        raise ValueError(f"[{metric}] {name} has {len(bad)} NaN, the first at {tuple(bad[0].tolist())}; remove them")
    return array


def _check_lengths(metric: str, y_true: Array, y_pred: Array) -> None:
    if len(y_true) != len(y_pred):
        raise ValueError(f"[{metric}] y_true has {len(y_true)} rows but y_pred has {len(y_pred)}; each row needs both")


def _labels(metric: str, name: str, array: Array, threshold: float | None) -> Array:
    """Turn what a network gives, or what someone wrote down, into int64 labels of shape (n,).

    `threshold` is for a column of probabilities; None means that a column holds labels.
    """
    if array.ndim == 2 and array.shape[1] > 1:
        return np.asarray(array.argmax(axis=1))
    if array.ndim > 2 or array.size != len(array):
        raise ValueError(f"[{metric}] {name} has shape {array.shape}; pass (n,) labels or (n, classes) scores")
    if array.ndim == 2 and threshold is not None and array.dtype.kind == "f":
        return (array[:, 0] > threshold).astype(np.int64)
    array = array.reshape(len(array))
    broken = np.flatnonzero(~(np.isfinite(array) & (array == np.floor(array))))
    if broken.size:
        raise ValueError(
            f"[{metric}] {name} holds {array[broken[0]]} at index {broken[0]}, which is no label; "
            "pass whole numbers, or probabilities as a column of shape (n, 1)"
        )
    return array.astype(np.int64)


def _both_labels(metric: str, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, threshold: float) -> tuple[Array, Array]:
    true, pred = _numbers(metric, "y_true", y_true), _numbers(metric, "y_pred", y_pred)
    _check_lengths(metric, true, pred)
    return _labels(metric, "y_true", true, None), _labels(metric, "y_pred", pred, threshold)


# ---- Classification -------------------------------------------------------------------------------------------------


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
    true, pred = _both_labels("accuracy", y_true, y_pred, threshold)
    return float((true == pred).mean())


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
    scores = _numbers("top_k_accuracy", "y_pred", y_pred)
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(f"[top_k_accuracy] y_pred has shape {scores.shape}; pass scores of shape (n, classes)")
    rows, classes = scores.shape
    if not 1 <= k <= classes:
        raise ValueError(f"[top_k_accuracy] k is {k} but y_pred has {classes} columns; choose k from 1 to {classes}")
    true = _numbers("top_k_accuracy", "y_true", y_true)
    _check_lengths("top_k_accuracy", true, scores)
    labels = _labels("top_k_accuracy", "y_true", true, None)
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if outside.size:
        raise ValueError(
            f"[top_k_accuracy] label {labels[outside[0]]} at index {outside[0]} has no column; y_pred has {classes}"
        )
    own = scores[np.arange(rows), labels][:, None]
    earlier = np.arange(classes) < labels[:, None]
    ahead = (scores > own) | ((scores == own) & earlier)
    return float((ahead.sum(axis=1) < k).mean())


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
    true, pred = _both_labels("confusion_matrix", y_true, y_pred, threshold)
    return _confusion(true, pred, np.union1d(true, pred) if labels is None else np.asarray(labels, dtype=np.int64))


def _confusion(true: Array, pred: Array, labels: Array) -> Array:
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
    true, pred = _both_labels(metric, y_true, y_pred, threshold)
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
    table = _confusion(true, pred, labels)
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
    true, scores = _numbers("roc_auc", "y_true", y_true), _numbers("roc_auc", "y_pred", y_pred)
    _check_lengths("roc_auc", true, scores)
    if scores.ndim > 2 or scores.size > 2 * len(scores):
        raise ValueError(
            f"[roc_auc] y_pred has shape {scores.shape}; pass scores of two classes, (n,), (n, 1) or (n, 2)"
        )
    scores = scores.astype(np.float64)
    score = scores[:, 1] - scores[:, 0] if scores.size == 2 * len(scores) else scores.reshape(len(scores))
    labels = _labels("roc_auc", "y_true", true, None)
    classes = np.unique(labels)
    if len(classes) != 2:
        raise ValueError(f"[roc_auc] y_true holds the labels {classes.tolist()[:10]}; the curve needs exactly two")
    _, group, size = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(size) - (size - 1) / 2)[group.reshape(-1)]
    higher = labels == classes[1]
    n1, n0 = int(higher.sum()), int((~higher).sum())
    return float((rank[higher].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


# ---- Regression -----------------------------------------------------------------------------------------------------


def _values(metric: str, y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Array, Array]:
    """Return both as float64 of shape (n, outputs); (n,) and (n, 1) mean the same."""
    true, pred = _numbers(metric, "y_true", y_true), _numbers(metric, "y_pred", y_pred)
    _check_lengths(metric, true, pred)
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


# ---- By name --------------------------------------------------------------------------------------------------------

_BY_NAME: dict[str, Metric] = {
    metric.__name__: metric for metric in (accuracy, top_k_accuracy, precision, recall, f1, roc_auc, mse, rmse, mae, r2)
}


def get(metric: str | Metric) -> Metric:
    """Look a metric up by name, for ``compile(metrics=[...])``; a function is given back as it is.

    Parameters
    ----------
    metric : str or callable
        A name such as "accuracy", or any ``f(y_true, y_pred) -> float``.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When it is neither a name nor callable.

    Examples
    --------
    >>> get("accuracy")([0, 1], [0, 1])
    1.0
    """
    if callable(metric):
        return metric
    if not isinstance(metric, str):
        raise TypeError(f"[metrics] a metric is a name or a function of y_true and y_pred, not {type(metric).__name__}")
    if metric not in _BY_NAME:
        raise ValueError(f"[metrics] unknown metric {metric!r}; use one of {', '.join(_BY_NAME)}, or a function")
    return _BY_NAME[metric]


def name_of(metric: str | Metric) -> str:
    """Return the name under which a metric appears in History and in logs.

    Examples
    --------
    >>> name_of(accuracy), name_of("mae")
    ('accuracy', 'mae')
    """
    return metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)
