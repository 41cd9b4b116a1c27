"""Losses of probabilities, logits and classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext.functional.losses.compute import loss_and_gradient

__all__ = [
    "bce",
    "bce_grad",
    "bce_with_logits",
    "bce_with_logits_grad",
    "cross_entropy",
    "cross_entropy_grad",
]

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.functional.losses.compute import Array


def bce(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the binary cross-entropy of probabilities, ``-mean(y log p + (1 - y) log(1 - p))``.

    Each log counts as -100 at least.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Probabilities.
    y : array_like of the same shape
        Between 0 and 1.
    sample_weight : array_like of shape (n,) or (n, k), optional

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
    return loss_and_gradient("bce", y_pred, y, sample_weight)[0]


def bce_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``bce`` with respect to y_pred.

    Examples
    --------
    >>> bce_grad([0.5, 0.5], [0.0, 1.0])
    array([ 1., -1.])
    """
    return loss_and_gradient("bce", y_pred, y, sample_weight)[1]


def bce_with_logits(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the binary cross-entropy of ``sigmoid(z)``, ``mean(max(z, 0) - z y + log(1 + exp(-abs(z))))``.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Logits z.
    y : array_like of the same shape
        Between 0 and 1.
    sample_weight : array_like of shape (n,) or (n, k), optional

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
    return loss_and_gradient("bce_with_logits", y_pred, y, sample_weight)[0]


def bce_with_logits_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``bce_with_logits``, ``(sigmoid(z) - y) / n``.

    Examples
    --------
    >>> bce_with_logits_grad([0.0, 0.0], [0.0, 1.0])
    array([ 0.25, -0.25])
    """
    return loss_and_gradient("bce_with_logits", y_pred, y, sample_weight)[1]


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
    return loss_and_gradient("cross_entropy", y_pred, y, sample_weight)[0]


def cross_entropy_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``cross_entropy``, ``(softmax(z) - onehot(y)) / n``.

    Examples
    --------
    >>> cross_entropy_grad([[0.0, 0.0]], [1])
    array([[ 0.5, -0.5]])
    """
    return loss_and_gradient("cross_entropy", y_pred, y, sample_weight)[1]
