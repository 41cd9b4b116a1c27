"""What metrics are given, checked and brought into one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


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


def check_lengths(metric: str, y_true: Array, y_pred: Array) -> None:
    if len(y_true) != len(y_pred):
        raise ValueError(f"[{metric}] y_true has {len(y_true)} rows but y_pred has {len(y_pred)}; each row needs both")


def to_labels(metric: str, name: str, array: Array, threshold: float | None) -> Array:
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


def both_labels(metric: str, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, threshold: float) -> tuple[Array, Array]:
    true, pred = numbers(metric, "y_true", y_true), numbers(metric, "y_pred", y_pred)
    check_lengths(metric, true, pred)
    return to_labels(metric, "y_true", true, None), to_labels(metric, "y_pred", pred, threshold)
