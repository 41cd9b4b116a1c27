"""Losses of outputs that each say yes or no."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.activations import sigmoid
from nnext.reference.arrays import Array
from nnext.reference.losses.means import mean, mean_grad
from nnext.reference.targets import probabilities, values

__all__ = [
    "bce",
    "bce_grad",
    "bce_with_logits",
    "bce_with_logits_grad",
    "focal",
    "focal_grad",
    "hinge",
    "hinge_grad",
]


def bce(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
) -> float:
    """Binary cross-entropy of probabilities: ``l_i = mean_j -(w y log p + (1 - y) log(1 - p))``, p = y_pred.

    Each logarithm counts as at least -100, as in PyTorch, so that a wrong certainty costs much and not infinitely much.

    Parameters
    ----------
    y_pred : array of shape (n, ...) or (n,)
        Probabilities, 0 to 1.
    y : array of y_pred's shape
        Targets, 0 to 1.
    sample_weight : array of shape (n,) or (n, outputs), optional
        Weights ``w_i >= 0`` of rows, or ``w_ij >= 0`` of outputs; 1 when absent.

    pos_weight : float or array of shape (outputs,), optional
        How much a target of 1 counts beside one of 0, w.

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
    return mean(scale, -(_yes(t, pos_weight) * log_p + (1 - t) * log_not_p))


def bce_grad(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
) -> Array:
    """Gradient of `bce`, ``((1 - y) p - w y (1 - p)) / (p (1 - p))``, its denominator at least 1e-12 as in PyTorch.

    Arguments and errors are those of `bce`; the result has y_pred's shape.

    Examples
    --------
    >>> bce_grad([0.5, 0.8], [0, 1])
    array([ 1.   , -0.625])
    """
    p, t, scale = probabilities("bce_grad", y_pred, y, sample_weight)
    slope = ((1 - t) * p - _yes(t, pos_weight) * (1 - p)) / np.maximum(p * (1 - p), 1e-12)
    return mean_grad(scale, slope / p.shape[1], y_pred)


def bce_with_logits(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
) -> float:
    """Binary cross-entropy of ``sigmoid(x)`` with x = y_pred: ``l_i = mean_j max(x, 0) - x y + log(1 + exp(-|x|))``.

    The same number as ``bce(sigmoid(x), y)``, without ever forming a probability that rounds to 0 or 1.

    With `pos_weight` w it is ``(1 - y) log(1 + exp(x)) + w y log(1 + exp(-x))``. The logits are any real numbers, the
    targets 0 to 1.

    Examples
    --------
    >>> round(bce_with_logits([0.0, 1000.0], [0, 1]), 4)
    0.3466
    """
    x, t, scale = values("bce_with_logits", y_pred, y, sample_weight)
    return mean(scale, (1 - t) * _softplus(x) + _yes(t, pos_weight) * _softplus(-x))


def bce_with_logits_grad(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
) -> Array:
    """Gradient of `bce_with_logits`, ``(1 - y) sigmoid(x) - w y sigmoid(-x)``; the result has y_pred's shape.

    Examples
    --------
    >>> bce_with_logits_grad([0.0, 0.0], [0, 1])
    array([ 0.25, -0.25])
    """
    x, t, scale = values("bce_with_logits_grad", y_pred, y, sample_weight)
    return mean_grad(scale, ((1 - t) * sigmoid(x) - _yes(t, pos_weight) * sigmoid(-x)) / x.shape[1], y_pred)


def focal(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    gamma: float = 2.0,
    alpha: float | None = None,
) -> float:
    """Binary cross-entropy of ``sigmoid(x)``, each output's times ``a miss^gamma``; x = y_pred, p = sigmoid(x).

    ``miss = p (1 - y) + (1 - p) y`` is how far p is from the label, and ``a = alpha y + (1 - alpha) (1 - y)``, or 1
    without alpha. Source: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.

    Examples
    --------
    >>> round(focal([0.0, 2.0], [0, 1]), 6)
    0.087545
    """
    x, t, scale = values("focal", y_pred, y, sample_weight)
    miss = sigmoid(x) * (1 - t) + sigmoid(-x) * t
    entropy = (1 - t) * _softplus(x) + t * _softplus(-x)
    return mean(scale, _balance(t, alpha) * entropy * miss**gamma)


def focal_grad(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    gamma: float = 2.0,
    alpha: float | None = None,
) -> Array:
    """Gradient of `focal`; the result has y_pred's shape.

    Examples
    --------
    >>> focal_grad([0.0, 2.0], [0, 1], gamma=0.0).round(6)
    array([ 0.25    , -0.059601])
    """
    x, t, scale = values("focal_grad", y_pred, y, sample_weight)
    p, q = sigmoid(x), sigmoid(-x)
    miss = p * (1 - t) + q * t
    entropy = (1 - t) * _softplus(x) + t * _softplus(-x)
    by_entropy = ((1 - t) * p - t * q) * miss**gamma
    tiny = np.finfo(miss.dtype).tiny
    by_miss = entropy * gamma * miss**gamma * (p * q * (1 - 2 * t) / np.maximum(miss, tiny))
    return mean_grad(scale, _balance(t, alpha) * (by_entropy + by_miss) / x.shape[1], y_pred)


def hinge(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """``l_i = mean_j max(0, 1 - s y_pred_ij)``, s being 1 for targets of 1, and -1 for those of -1 or 0.

    Source: Cortes and Vapnik, Machine Learning 20 (1995). Arguments and errors are those of `mse`.

    Examples
    --------
    >>> hinge([2.0, 0.5, 0.5], [1, 1, -1])
    0.6666666666666666
    """
    p, t, scale = values("hinge", y_pred, y, sample_weight)
    return mean(scale, np.maximum(0, 1 - np.where(t > 0, 1, -1) * p))


def hinge_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `hinge`, ``-s`` where ``s y_pred < 1``, else 0; the result has y_pred's shape.

    Examples
    --------
    >>> hinge_grad([2.0, 0.5], [1, -1])
    array([0. , 0.5])
    """
    p, t, scale = values("hinge_grad", y_pred, y, sample_weight)
    sign = np.where(t > 0, 1, -1).astype(p.dtype)
    slope = np.where(sign * p < 1, -sign, 0 * p)  # NaN stays
    return mean_grad(scale, slope / p.shape[1], y_pred)


def _yes(t: Array, pos_weight: npt.ArrayLike | None) -> Array:
    """Return the targets, each times how much a 1 counts."""
    return t if pos_weight is None else np.asarray(pos_weight, dtype=t.dtype) * t


def _softplus(x: Array) -> Array:
    """Return ``log(1 + exp(x))``."""
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


def _balance(t: Array, alpha: float | None) -> Array | float:
    return 1.0 if alpha is None else alpha * t + (1 - alpha) * (1 - t)
