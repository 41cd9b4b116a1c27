"""Losses of probabilities, logits and classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.activations import log_softmax, sigmoid, softmax
from nnext.reference.arrays import Array
from nnext.reference.losses.means import mean, mean_grad
from nnext.reference.targets import classes, probabilities, values

__all__ = [
    "bce",
    "bce_grad",
    "bce_with_logits",
    "bce_with_logits_grad",
    "cross_entropy",
    "cross_entropy_grad",
]


def bce(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Binary cross-entropy of probabilities: ``l_i = mean_j -(y log p + (1 - y) log(1 - p))`` with p = y_pred.

    Each logarithm counts as at least -100, as in PyTorch, so that a wrong certainty costs much and not infinitely much.

    Parameters
    ----------
    y_pred : array of shape (n, ...) or (n,)
        Probabilities, 0 to 1.
    y : array of y_pred's shape
        Targets, 0 to 1.
    sample_weight : array of shape (n,) or (n, outputs), optional
        Weights ``w_i >= 0`` of rows, or ``w_ij >= 0`` of outputs; 1 when absent.

    Returns
    -------
    float
        ``sum_i w_i l_i / sum_i w_i``, or ``sum_ij w_ij l_ij / sum_ij w_ij``.

    Raises
    ------
    ValueError
        As `mse`, and when a probability lies outside [0, 1].

    Examples
    --------
    >>> round(bce([0.5, 0.9], [0, 1]), 4)
    0.3993
    """
    p, t, scale = probabilities("bce", y_pred, y, sample_weight)
    with np.errstate(divide="ignore"):
        log_p, log_not_p = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return mean(scale, -(t * log_p + (1 - t) * log_not_p))


def bce_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `bce`, ``(p - y) / (p (1 - p))``, its denominator at least 1e-12 as in PyTorch.

    Arguments and errors are those of `bce`; the result has y_pred's shape.

    Examples
    --------
    >>> bce_grad([0.5, 0.8], [0, 1])
    array([ 1.   , -0.625])
    """
    p, t, scale = probabilities("bce_grad", y_pred, y, sample_weight)
    return mean_grad(scale, (p - t) / np.maximum(p * (1 - p), 1e-12) / p.shape[1], y_pred)


def bce_with_logits(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Binary cross-entropy of ``sigmoid(x)`` with x = y_pred: ``l_i = mean_j max(x, 0) - x y + log(1 + exp(-|x|))``.

    The same number as ``bce(sigmoid(x), y)``, without ever forming a probability that rounds to 0 or 1.

    Arguments and errors are those of `mse`; the logits are any real numbers, the targets 0 to 1.

    Examples
    --------
    >>> round(bce_with_logits([0.0, 1000.0], [0, 1]), 4)
    0.3466
    """
    x, t, scale = values("bce_with_logits", y_pred, y, sample_weight)
    return mean(scale, np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))))


def bce_with_logits_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `bce_with_logits`, ``sigmoid(x) - y``; the result has y_pred's shape.

    Examples
    --------
    >>> bce_with_logits_grad([0.0, 0.0], [0, 1])
    array([ 0.25, -0.25])
    """
    x, t, scale = values("bce_with_logits_grad", y_pred, y, sample_weight)
    return mean_grad(scale, (sigmoid(x) - t) / x.shape[1], y_pred)


def cross_entropy(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Cross-entropy of ``softmax(y_pred)``: ``l_i = -log softmax(y_pred_i)[y_i]``.

    Parameters
    ----------
    y_pred : array of shape (n, classes), (n, T, classes) or (n, classes, H, W)
        Logits, any real number.
    y : integers of shape (n,) or (n, 1), (n, T) or (n, H, W), or probabilities of y_pred's shape
        The right class of each row; or how probable each class is, then ``l_i = -sum_j y_ij log softmax(y_pred_i)_j``.
    sample_weight : array of shape (n,), (n, T) or (n, H, W), optional
        Weights ``w_i >= 0`` of samples, steps or places; 1 when absent.

    Returns
    -------
    float
        ``sum_i w_i l_i / sum_i w_i``.

    Raises
    ------
    ValueError
        As `mse`, and when a label is not one of 0 to classes - 1.

    Examples
    --------
    >>> round(cross_entropy([[0.0, 0.0], [2.0, 0.0]], [1, 0]), 4)
    0.41
    """
    x, t, scale = classes("cross_entropy", y_pred, y, sample_weight)
    terms = np.multiply(t, log_softmax(x), where=t != 0, out=np.zeros_like(x))  # 0 * log 0 counts as 0
    return mean(scale, -terms.sum(axis=1, keepdims=True))


def cross_entropy_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `cross_entropy`, ``softmax(y_pred) - y`` with y as probabilities that sum to 1.

    Arguments and errors are those of `cross_entropy`; the result has y_pred's shape.

    Examples
    --------
    >>> cross_entropy_grad([[0.0, 0.0], [0.0, 0.0]], [1, 0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    x, t, scale = classes("cross_entropy_grad", y_pred, y, sample_weight)
    return mean_grad(scale, softmax(x) * t.sum(axis=1, keepdims=True) - t, y_pred)
