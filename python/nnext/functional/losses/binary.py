"""Losses of outputs that each say yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnext import _check
from nnext.functional.losses.compute import loss_and_gradient

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

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.functional.losses.compute import Array


def bce(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
) -> float:
    """Return the binary cross-entropy of probabilities, ``-mean(y log p + (1 - y) log(1 - p))``.

    Each log counts as -100 at least.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Probabilities.
    y : array_like of the same shape
        Between 0 and 1.
    sample_weight : array_like of shape (n,) or (n, k), optional
    pos_weight : float or array_like of shape (k,), optional
        How much a target of 1 counts beside one of 0, >= 0; one number for all outputs, or one for each.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, for 0 rows, or targets outside [0, 1], or weights that do not fit.

    Examples
    --------
    >>> round(bce([0.5, 0.5], [0.0, 1.0]), 6)
    0.693147
    """
    return loss_and_gradient("bce", y_pred, y, sample_weight, **_weights("bce", pos_weight))[0]


def bce_grad(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
) -> Array:
    """Return the gradient of ``bce`` with respect to y_pred.

    Examples
    --------
    >>> bce_grad([0.5, 0.5], [0.0, 1.0])
    array([ 1., -1.])
    """
    return loss_and_gradient("bce", y_pred, y, sample_weight, **_weights("bce_grad", pos_weight))[1]


def bce_with_logits(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
) -> float:
    """Return the binary cross-entropy of ``sigmoid(z)``, ``mean(max(z, 0) - z y + log(1 + exp(-abs(z))))``.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Logits z.
    y : array_like of the same shape
        Between 0 and 1.
    sample_weight : array_like of shape (n,) or (n, k), optional
    pos_weight : float or array_like of shape (k,), optional
        How much a target of 1 counts beside one of 0, >= 0; one number for all outputs, or one for each.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, for 0 rows, or targets outside [0, 1], or weights that do not fit.

    Examples
    --------
    >>> bce_with_logits([-800.0, 800.0], [0.0, 1.0])
    0.0
    """
    return loss_and_gradient("bce_with_logits", y_pred, y, sample_weight, **_weights("bce_with_logits", pos_weight))[0]


def bce_with_logits_grad(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
) -> Array:
    """Return the gradient of ``bce_with_logits``, ``(sigmoid(z) - y) / n`` where pos_weight is 1.

    Examples
    --------
    >>> bce_with_logits_grad([0.0, 0.0], [0.0, 1.0])
    array([ 0.25, -0.25])
    """
    settings = _weights("bce_with_logits_grad", pos_weight)
    return loss_and_gradient("bce_with_logits", y_pred, y, sample_weight, **settings)[1]


def focal(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    gamma: float = 2.0,
    alpha: float | None = None,
) -> float:
    """Return the binary cross-entropy of ``sigmoid(z)`` times ``(1 - p)^gamma``, p being the right label's probability.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Logits z.
    y : array_like of the same shape
        Between 0 and 1.
    sample_weight : array_like of shape (n,) or (n, k), optional
    gamma : float
        At least 0.
    alpha : float, optional
        How much a target of 1 counts, from 0 to 1, and 1 - alpha one of 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        When the shapes do not fit, for 0 rows, targets outside [0, 1], or settings out of range.

    Examples
    --------
    >>> round(focal([0.0, 2.0], [0.0, 1.0]), 6)
    0.087545
    """
    return loss_and_gradient("focal", y_pred, y, sample_weight, **_focus("focal", gamma, alpha))[0]


def focal_grad(
    y_pred: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    gamma: float = 2.0,
    alpha: float | None = None,
) -> Array:
    """Return the gradient of ``focal`` with respect to y_pred.

    Examples
    --------
    >>> focal_grad([0.0, 2.0], [0.0, 1.0], gamma=0.0).round(6)  # of bce_with_logits
    array([ 0.25    , -0.059601])
    """
    return loss_and_gradient("focal", y_pred, y, sample_weight, **_focus("focal_grad", gamma, alpha))[1]


def hinge(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the mean of ``max(0, 1 - y y_pred)``.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
    y : array_like of the same shape
        Labels of -1 and 1, or of 0 and 1, which mean the same.
    sample_weight : array_like of shape (n,) or (n, k), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, or for 0 rows, or targets that are no such labels.

    Examples
    --------
    >>> hinge([2.0, 0.5, 0.5], [1, 1, -1]), hinge([2.0, 0.5, 0.5], [1, 1, 0])  # 0, 0.5 and 1.5
    (0.6666666666666666, 0.6666666666666666)
    """
    return loss_and_gradient("hinge", y_pred, y, sample_weight)[0]


def hinge_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``hinge``, ``-y / n`` where ``y y_pred < 1``, else 0.

    Examples
    --------
    >>> hinge_grad([2.0, 0.5], [1, -1])
    array([0. , 0.5])
    """
    return loss_and_gradient("hinge", y_pred, y, sample_weight)[1]


def _weights(operation: str, pos_weight: Any) -> dict[str, Any]:
    if pos_weight is not None:
        pos_weight = _check.weights(operation, "pos_weight", pos_weight, each="output", one_for_all=True)
    return {"pos_weight": pos_weight}


def _focus(operation: str, gamma: float, alpha: float | None) -> dict[str, float | None]:
    if alpha is not None:
        alpha = _check.number(operation, "alpha", alpha, low=0, high=1)
    return {"gamma": _check.number(operation, "gamma", gamma, low=0), "alpha": alpha}
