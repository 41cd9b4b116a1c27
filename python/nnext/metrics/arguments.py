"""What metrics are given, checked and brought into one form: a row for each label, or for each set of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext._warn import warn

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class UndefinedError(ValueError):
    """What a metric has no value for, such as the spread of one number; `value` is NaN, or has some."""

    def __init__(self, message: str, value: Any = math.nan) -> None:
        super().__init__(message)
        self.value = value


def or_nan(compute: Callable[[], Any]) -> Any:
    """Return the value of a metric; where it has none NaN, with a warning, as in scikit-learn."""
    try:
        return compute()
    except UndefinedError as error:
        warn(f"{error}; the metric is NaN", RuntimeWarning)
        return error.value


def numbers(metric: str, name: str, values: npt.ArrayLike) -> Array:
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


def both(metric: str, y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Array, Array]:
    """Return both as arrays of one length."""
    true, pred = numbers(metric, "y_true", y_true), numbers(metric, "y_pred", y_pred)
    if len(true) != len(pred):
        raise ValueError(f"[{metric}] y_true has {len(true)} rows but y_pred has {len(pred)}; each row needs both")
    return true, pred


# ---- Weights --------------------------------------------------------------------------------------------------------


def weights(metric: str, sample_weight: npt.ArrayLike | None, shape: tuple[int, ...]) -> Array | None:
    """Return how much samples count, in float64: of shape (n,), or of that one; None where all count alike."""
    if sample_weight is None:
        return None
    array = numbers(metric, "sample_weight", sample_weight).astype(np.float64)
    if array.size == len(array) == shape[0]:
        array = array.reshape(-1)
    elif array.shape != shape:
        also = f", or one for each number: {shape}" if len(shape) > 1 else ""
        raise ValueError(
            f"[{metric}] sample_weight has shape {array.shape}; give one weight a sample: ({shape[0]},){also}"
        )
    wrong = np.argwhere((array < 0) | np.isinf(array))
    if len(wrong):
        at = tuple(wrong[0].tolist())
        raise ValueError(f"[{metric}] sample_weight has {array[at]} at {at}; weights must be finite and not negative")
    if not array.any():
        raise ValueError(f"[{metric}] sample_weight is zero for all {len(array)} samples; at least one must count")
    return array


def ratios(weight: Array | None) -> Array | None:
    """Return weights times the power of two that makes the largest at most 1: all digits stay, and no sum overflows."""
    return None if weight is None else np.ldexp(weight, -int(np.frexp(weight.max())[1]))


def mean(values: Array, weight: Array | None, axis: int | None = None) -> Any:
    """Return the mean over rows, or over all numbers; weights are of the rows, or of all numbers."""
    if weight is None:
        return values.mean(axis)
    weight = weight if weight.ndim == values.ndim else weight[:, None]
    return np.average(values, axis, np.broadcast_to(weight, values.shape))


# ---- Labels ---------------------------------------------------------------------------------------------------------


def labels_with_scores(metric: str, true: Array, scores: Array) -> tuple[Array, Array, tuple[int, ...]]:
    """Return labels (n,), scores (n, classes), and the shape that labels have; places, such as pixels, are rows.

    Classes are the last axis of (n, steps, classes) and the second one of images, (n, classes, height, width).
    """
    for axis in (-1, 1) if scores.ndim == 3 else (1,):
        if true.ndim > 1 and scores.ndim == true.ndim + 1 and np.moveaxis(scores, axis, -1).shape[:-1] == true.shape:
            return one_label_a_row(metric, "y_true", true.reshape(-1)), _channels_last(scores, axis), true.shape
    return one_label_a_row(metric, "y_true", true), scores, true.shape[:1]


def both_labels(metric: str, true: Array, pred: Array, threshold: float | None) -> tuple[Array, Array, tuple[int, ...]]:
    """Return labels (n,), predicted ones, and the shape that labels have; places, such as pixels, are rows.

    `threshold` is for a column of probabilities. Whole numbers in the shape of y_true are labels of places, unless
    y_true has one-hot rows.
    """
    if threshold is not None and (pred.size != len(pred) or pred.ndim == 1 or pred.dtype.kind != "f"):
        raise ValueError(
            f"[{metric}] threshold is {threshold} but y_pred, of shape {pred.shape} and dtype {pred.dtype}, is no "
            "column of probabilities; leave it out, or pass shape (n, 1)"
        )
    if true.shape == pred.shape and pred.dtype.kind in "biu" and not _is_one_hot(true):
        shape, true, pred = true.shape, one_label_a_row(metric, "y_true", true.reshape(-1)), pred.reshape(-1)
    else:
        true, pred, shape = labels_with_scores(metric, true, pred)
    if pred.ndim == 2 and pred.size == len(pred) and pred.dtype.kind == "f":
        pred = pred[:, 0] > (0.5 if threshold is None else threshold)
    elif pred.ndim == 2 and pred.size > len(pred):
        pred = pred.argmax(axis=1)
    return true, one_label_a_row(metric, "y_pred", pred), shape


def one_label_a_row(metric: str, name: str, array: Array) -> Array:
    """Return labels as int64 of shape (n,), also of one-hot rows."""
    if array.ndim == 2 and array.shape[1] > 1:
        largest = array == array.max(axis=1, keepdims=True)
        several = np.flatnonzero(largest.sum(axis=1) != 1)
        if len(several):
            raise ValueError(
                f"[{metric}] {name} has several labels or none in row {several[0]}: {array[several[0]].tolist()[:10]}; "
                "pass (n,) labels or one-hot rows, or of several labels a sample one column at a time"
            )
        return np.asarray(largest.argmax(axis=1))
    if array.size != len(array):
        raise ValueError(f"[{metric}] {name} has shape {array.shape}; pass (n,) labels or (n, classes) scores")
    array = array.reshape(len(array))
    broken = np.flatnonzero(~(np.isfinite(array) & (array == np.floor(array))))
    if broken.size:
        raise ValueError(
            f"[{metric}] {name} holds {array[broken[0]]} at index {broken[0]}, which is no label; "
            "pass whole numbers, or probabilities as a column of shape (n, 1)"
        )
    return array.astype(np.int64)


def of_rows(weight: Array | None, rows: int) -> Array | None:
    """Return the weights of places as rows; those of samples are those of all their places."""
    if weight is None:
        return None
    return weight.reshape(-1) if weight.size == rows else np.repeat(weight, rows // len(weight))


def _is_one_hot(array: Array) -> bool:
    return array.ndim == 2 and bool(((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all())


def _channels_last(array: Array, axis: int) -> Array:
    return np.moveaxis(array, axis, -1).reshape(-1, array.shape[axis])


# ---- Numbers --------------------------------------------------------------------------------------------------------


def rows_of_numbers(array: Array) -> Array:
    """Return (n, outputs) in float64, a row for each step of (n, steps, outputs), each pixel of (n, outputs, ...)."""
    rows = array.reshape(len(array), -1) if array.ndim < 3 else _channels_last(array, 1 if array.ndim > 3 else -1)
    return rows.astype(np.float64)
