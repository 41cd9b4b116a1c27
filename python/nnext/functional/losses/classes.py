"""Losses of class logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnext import _check
from nnext.functional.losses.compute import loss_and_gradient

__all__ = [
    "cross_entropy",
    "cross_entropy_grad",
    "kl_div",
    "kl_div_grad",
]

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.functional.losses.compute import Array


def cross_entropy(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    class_weight: npt.ArrayLike | None = None,
) -> float:
    """Return the cross-entropy of ``softmax(z)``, ``mean(logsumexp(z) - z[label])``.

    Parameters
    ----------
    y_pred : array_like of shape (n, k)
        Logits z.
    y : array_like of shape (n,) or (n, k)
        Class labels from 0 to k - 1, or rows of probabilities such as one-hot rows.
    sample_weight : array_like of shape (n,), optional
    label_smoothing : float
        From 0 to 1: how much of each target is divided among all classes.
    class_weight : array_like of shape (k,), optional
        How much each class counts, >= 0. The mean is over the weights of the rows' classes.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        When the shapes do not fit, for 0 rows, labels that are no classes, or settings that do not fit.

    Examples
    --------
    >>> round(cross_entropy([[0.0, 0.0]], [1]), 6)
    0.693147
    >>> round(cross_entropy([[0.0, 0.0], [2.0, 0.0]], [1, 0], class_weight=[1.0, 3.0]), 6)  # (3 log(2) + 0.126928) / 4
    0.551592
    """
    settings = _settings("cross_entropy", label_smoothing, class_weight)
    return loss_and_gradient("cross_entropy", y_pred, y, sample_weight, **settings)[0]


def cross_entropy_grad(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    class_weight: npt.ArrayLike | None = None,
) -> Array:
    """Return the gradient of ``cross_entropy``, ``(softmax(z) - onehot(y)) / n`` without settings.

    Examples
    --------
    >>> cross_entropy_grad([[0.0, 0.0]], [1])
    array([[ 0.5, -0.5]])
    """
    settings = _settings("cross_entropy_grad", label_smoothing, class_weight)
    return loss_and_gradient("cross_entropy", y_pred, y, sample_weight, **settings)[1]


def kl_div(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the divergence of ``softmax(z)`` from y, ``mean(sum(y (log(y) - log(softmax(z)))))``.

    Parameters
    ----------
    y_pred : array_like of shape (n, k)
        Logits z.
    y : array_like of shape (n, k)
        Rows of probabilities.
    sample_weight : array_like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, or for 0 rows, or rows that do not add up to 1.

    Examples
    --------
    >>> round(kl_div([[0.0, 0.0]], [[0.5, 0.5]]), 6), round(kl_div([[0.0, 0.0]], [[0.0, 1.0]]), 6)
    (0.0, 0.693147)
    """
    return loss_and_gradient("kl_div", y_pred, y, sample_weight)[0]


def kl_div_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``kl_div``, ``(softmax(z) - y) / n``.

    Examples
    --------
    >>> kl_div_grad([[0.0, 0.0]], [[0.25, 0.75]])
    array([[ 0.25, -0.25]])
    """
    return loss_and_gradient("kl_div", y_pred, y, sample_weight)[1]


def _settings(operation: str, label_smoothing: float, class_weight: Any) -> dict[str, Any]:
    smoothing = _check.number(operation, "label_smoothing", label_smoothing, low=0, high=1)
    if class_weight is not None:
        class_weight = _check.weights(operation, "class_weight", class_weight, each="class")
    return {"label_smoothing": smoothing, "class_weight": class_weight}
