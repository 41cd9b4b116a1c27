"""Losses and their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _core

__all__ = [
    "bce",
    "bce_grad",
    "bce_with_logits",
    "bce_with_logits_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "huber",
    "huber_grad",
    "mse",
    "mse_grad",
]

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def _loss(
    name: str, y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Any, argument: float = 0.0
) -> tuple[float, Array]:
    rows = np.asanyarray(y_pred)  # a mask stays, for the core to refuse
    if rows.ndim == 1 and name != "cross_entropy":  # one output a sample
        loss, grad = _core.loss(name, rows.reshape(-1, 1), y, sample_weight, argument)
        return loss, grad.reshape(-1)
    return _core.loss(name, y_pred, y, sample_weight, argument)


def mse(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the mean squared error, ``mean((y_pred - y)^2)``.

    Parameters
    ----------
    y_pred, y : array_like of shape (n,) or (n, k)
    sample_weight : array_like of shape (n,), optional
        The loss is then the weighted mean over the rows.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, or for 0 rows.

    Examples
    --------
    >>> mse([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return _loss("mse", y_pred, y, sample_weight)[0]


def mse_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``mse`` with respect to y_pred.

    Examples
    --------
    >>> mse_grad([1.0, 2.0], [1.0, 4.0])
    array([ 0., -2.])
    """
    return _loss("mse", y_pred, y, sample_weight)[1]


def huber(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, delta: float = 1.0
) -> float:
    """Return the mean of ``d^2 / 2`` where ``d = abs(y_pred - y) <= delta``, else of ``delta (d - delta / 2)``.

    Parameters
    ----------
    y_pred, y : array_like of shape (n,) or (n, k)
    sample_weight : array_like of shape (n,), optional
        The loss is then the weighted mean over the rows.
    delta : float
        > 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        When the shapes do not fit, for 0 rows, or a delta that is no finite number greater than 0.

    Examples
    --------
    >>> huber([1.0, 2.0], [1.0, 6.0])
    1.75
    """
    return _loss("huber", y_pred, y, sample_weight, _delta("huber", delta))[0]


def huber_grad(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, delta: float = 1.0
) -> Array:
    """Return the gradient of ``huber`` with respect to y_pred: ``y_pred - y``, within ``-delta`` and ``delta``, over n.

    Examples
    --------
    >>> huber_grad([1.0, 2.0], [1.5, 6.0])
    array([-0.25, -0.5 ])
    """
    return _loss("huber", y_pred, y, sample_weight, _delta("huber_grad", delta))[1]


def _delta(operation: str, delta: float) -> float:
    return _check.number(operation, "delta", delta, above=0)


def bce(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the binary cross-entropy of probabilities, ``-mean(y log p + (1 - y) log(1 - p))``.

    Each log counts as -100 at least.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Probabilities.
    y : array_like of the same shape
        Between 0 and 1.
    sample_weight : array_like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, for 0 rows, or targets outside [0, 1].

    Examples
    --------
    >>> round(bce([0.5, 0.5], [0.0, 1.0]), 6)
    0.693147
    """
    return _loss("bce", y_pred, y, sample_weight)[0]


def bce_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``bce`` with respect to y_pred.

    Examples
    --------
    >>> bce_grad([0.5, 0.5], [0.0, 1.0])
    array([ 1., -1.])
    """
    return _loss("bce", y_pred, y, sample_weight)[1]


def bce_with_logits(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the binary cross-entropy of ``sigmoid(z)``, ``mean(max(z, 0) - z y + log(1 + exp(-abs(z))))``.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Logits z.
    y : array_like of the same shape
        Between 0 and 1.
    sample_weight : array_like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, for 0 rows, or targets outside [0, 1].

    Examples
    --------
    >>> bce_with_logits([-800.0, 800.0], [0.0, 1.0])
    0.0
    """
    return _loss("bce_with_logits", y_pred, y, sample_weight)[0]


def bce_with_logits_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``bce_with_logits``, ``(sigmoid(z) - y) / n``.

    Examples
    --------
    >>> bce_with_logits_grad([0.0, 0.0], [0.0, 1.0])
    array([ 0.25, -0.25])
    """
    return _loss("bce_with_logits", y_pred, y, sample_weight)[1]


def cross_entropy(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the cross-entropy of ``softmax(z)``, ``mean(logsumexp(z) - z[label])``.

    Parameters
    ----------
    y_pred : array_like of shape (n, k)
        Logits z.
    y : array_like of shape (n,) or (n, k)
        Class labels from 0 to k - 1, or rows of probabilities such as one-hot rows.
    sample_weight : array_like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, for 0 rows, or labels that are no classes.

    Examples
    --------
    >>> round(cross_entropy([[0.0, 0.0]], [1]), 6)
    0.693147
    """
    return _loss("cross_entropy", y_pred, y, sample_weight)[0]


def cross_entropy_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``cross_entropy``, ``(softmax(z) - onehot(y)) / n``.

    Examples
    --------
    >>> cross_entropy_grad([[0.0, 0.0]], [1])
    array([[ 0.5, -0.5]])
    """
    return _loss("cross_entropy", y_pred, y, sample_weight)[1]
