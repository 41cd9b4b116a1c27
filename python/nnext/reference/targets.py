"""What losses compare: predictions, targets and the weights of the rows, checked and brought into one form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array, as_float


def _shares(operation: str, sample_weight: npt.ArrayLike | None, rows: int, outputs: int | None = None) -> Array:
    """Return ``w / mean(w) / rows``, how much each row counts, as a column; all zero when every weight is zero.

    With `outputs`, each of which is a term of a row's mean, there may be a weight for each: then as many columns.
    """
    w = np.ones(rows) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if w.shape not in ((rows,), (rows, outputs)):
        wanted = "pass one weight a row" + ("" if outputs is None else f", or one for each of {outputs} outputs")
        raise ValueError(f"[{operation}] sample_weight has shape {w.shape} but y_pred has {rows} rows; {wanted}")
    if not (np.isfinite(w) & (w >= 0)).all():
        raise ValueError(f"[{operation}] sample_weight must be finite and at least 0, but its minimum is {w.min()}")
    mean = w.mean()
    return (w / mean / rows if mean > 0 else w).reshape(rows, -1)


def counted(X: Array, y: Array, sample_weight: npt.ArrayLike | None) -> tuple[Array, Array, Array]:
    """Return the samples of a fit that count, those of weight 0 left out, and their weights, whose mean is 1."""
    if len(X) != len(y) or len(X) == 0:
        raise ValueError(f"[fit] X has {len(X)} rows but y has {len(y)}; they need the same number, at least 1")
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if not weight.any():
        raise ValueError(f"[fit] sample_weight is zero for all {len(X)} samples; at least one must count")
    counts = weight.reshape(len(X), -1).any(axis=1)
    return X[counts], y[counts], weight[counts] / weight[counts].mean()


def _check_rows(operation: str, p: Array) -> None:
    if p.ndim == 0 or p.size == 0:
        raise ValueError(f"[{operation}] y_pred has shape {p.shape}; a loss needs at least one row and one output")


def values(operation: str, y_pred: npt.ArrayLike, y: npt.ArrayLike, w: npt.ArrayLike | None) -> tuple[Array, ...]:
    """Return predictions and targets as (n, outputs), and the shares of the rows. (n,) and (n, 1) mean the same."""
    p = as_float(y_pred)
    t = np.asarray(y, dtype=p.dtype)
    _check_rows(operation, p)
    if p.shape != t.shape and {p.shape, t.shape} != {p.shape[:1], (*p.shape[:1], 1)}:
        raise ValueError(f"[{operation}] y_pred has shape {p.shape} but y has {t.shape}; give y the shape of y_pred")
    p, t = p.reshape(len(p), -1), t.reshape(len(p), -1)
    return p, t, _shares(operation, w, *p.shape)


def probabilities(
    operation: str, y_pred: npt.ArrayLike, y: npt.ArrayLike, w: npt.ArrayLike | None
) -> tuple[Array, ...]:
    p, t, scale = values(operation, y_pred, y, w)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(
            f"[{operation}] y_pred goes from {p.min()} to {p.max()} but must lie in [0, 1]; "
            "end the network with Sigmoid, or use bce_with_logits"
        )
    return p, t, scale


def _one_hot(operation: str, y: Array, classes: int) -> Array:
    """Turn labels of shape (n,) into rows with a 1 in the label's column."""
    wrong = np.flatnonzero(~((y >= 0) & (y < classes) & (y == np.floor(y))))
    if wrong.size:
        raise ValueError(
            f"[{operation}] label {y[wrong[0]]} at index {wrong[0]} is no class; "
            f"y_pred has {classes} columns, so labels are whole numbers from 0 to {classes - 1}"
        )
    return np.eye(classes)[y.astype(np.int64)]


def classes(operation: str, y_pred: npt.ArrayLike, y: npt.ArrayLike, w: npt.ArrayLike | None) -> tuple[Array, ...]:
    """Return logits and target probabilities, both (n, classes), and the shares of the rows."""
    x, t = as_float(y_pred), np.asarray(y)
    _check_rows(operation, x)
    if x.ndim != 2:
        raise ValueError(f"[{operation}] y_pred has shape {x.shape}; it must be (rows, classes)")
    rows, classes = x.shape
    if t.shape in ((rows,), (rows, 1)):
        t = _one_hot(operation, t.reshape(rows), classes)
    elif t.shape != x.shape:
        raise ValueError(
            f"[{operation}] y_pred has shape {x.shape} but y has {t.shape}; "
            f"pass {rows} labels, or probabilities of shape {x.shape}"
        )
    return x, t.astype(x.dtype), _shares(operation, w, rows)
