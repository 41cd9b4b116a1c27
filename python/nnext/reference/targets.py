"""What losses compare: predictions, targets and the weights of the rows, checked and brought into one form.

Predictions are (n, outputs), sequences (n, T, outputs) or images (n, outputs, H, W); each step and each place is a row
of its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array, as_float, channels_last


def _rows(x: Array) -> Array:
    """Return what there is at each place, of each step of a sequence or for each row as (rows, outputs)."""
    x = channels_last(x)
    return x.reshape(-1, x.shape[-1] if x.ndim > 1 else 1)


def _shares(operation: str, sample_weight: npt.ArrayLike | None, p: Array, per_output: bool = False) -> Array:
    """Return ``w / mean(w) / rows``, how much each row of `_rows` counts, as a column; all zero when every weight is.

    There is a weight for each sample, or each place of p. With `per_output`, where each output is a term of a row's
    mean, there may be a weight for each: then as many columns.
    """
    w = np.ones(len(p)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    places, rows = channels_last(p).shape[:-1] if p.ndim > 1 else p.shape, _rows(p)
    if per_output and w.ndim > 1 and w.shape in (p.shape, (*p.shape, 1)):
        columns = _rows(w)
    elif w.shape in (p.shape[:1], places):
        columns = np.broadcast_to(w.reshape(*w.shape, *(1,) * (len(places) - w.ndim)), places).reshape(-1, 1)
    else:
        wanted = "one weight a row" + (f", or one a place as {places}" if len(places) > 1 else "")
        wanted += f", or one for each of {rows.shape[1]} outputs" if per_output else ""
        raise ValueError(f"[{operation}] sample_weight has shape {w.shape} but y_pred has {len(p)} rows; pass {wanted}")
    if not (np.isfinite(w) & (w >= 0)).all():
        raise ValueError(f"[{operation}] sample_weight must be finite and at least 0, but its minimum is {w.min()}")
    mean = w.mean()
    return columns / mean / len(rows) if mean > 0 else columns


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
    """Return predictions and targets as (rows, outputs), and the shares of the rows. (n,) and (n, 1) mean the same."""
    p = as_float(y_pred)
    t = np.asarray(y, dtype=p.dtype)
    _check_rows(operation, p)
    if p.shape != t.shape and {p.shape, t.shape} != {p.shape[:1], (*p.shape[:1], 1)}:
        raise ValueError(f"[{operation}] y_pred has shape {p.shape} but y has {t.shape}; give y the shape of y_pred")
    return _rows(p), _rows(t), _shares(operation, w, p, per_output=True)


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


def distributions(
    operation: str, y_pred: npt.ArrayLike, y: npt.ArrayLike, w: npt.ArrayLike | None
) -> tuple[Array, ...]:
    """Return the same as `classes`, of targets that are no labels."""
    x, t = as_float(y_pred), np.asarray(y)
    if x.shape != t.shape:
        raise ValueError(f"[{operation}] y_pred has shape {x.shape} but y has {t.shape}; give y the shape of y_pred")
    return classes(operation, x, t, w)


def classes(operation: str, y_pred: npt.ArrayLike, y: npt.ArrayLike, w: npt.ArrayLike | None) -> tuple[Array, ...]:
    """Return logits and target probabilities, both (rows, classes), and the shares of the rows."""
    x, t = as_float(y_pred), np.asarray(y)
    _check_rows(operation, x)
    if x.ndim < 2:
        raise ValueError(f"[{operation}] y_pred has shape {x.shape}; it must be (rows, classes)")
    rows, classes = _rows(x).shape
    if t.shape in (channels_last(x).shape[:-1], (rows, 1)):
        t = _one_hot(operation, t.reshape(rows), classes)
    elif t.shape == x.shape:
        t = _rows(t)
    else:
        raise ValueError(
            f"[{operation}] y_pred has shape {x.shape} but y has {t.shape}; "
            f"pass {rows} labels, or probabilities of shape {x.shape}"
        )
    return _rows(x), t.astype(x.dtype), _shares(operation, w, x)
