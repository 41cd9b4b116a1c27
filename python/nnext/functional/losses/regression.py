"""Losses of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext import _check
from nnext.functional.losses.compute import loss_and_gradient

__all__ = [
    "huber",
    "huber_grad",
    "log_cosh",
    "log_cosh_grad",
    "mae",
    "mae_grad",
    "mse",
    "mse_grad",
    "quantile",
    "quantile_grad",
]

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.functional.losses.compute import Array


def mse(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the mean squared error, ``mean((y_pred - y)^2)``.

    Parameters
    ----------
    y_pred, y : array_like of shape (n,) or (n, k)
    sample_weight : array_like of shape (n,) or (n, k), optional
        Of rows or of outputs: the loss is then the weighted mean over these.

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
    return loss_and_gradient("mse", y_pred, y, sample_weight)[0]


def mse_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``mse`` with respect to y_pred.

    Examples
    --------
    >>> mse_grad([1.0, 2.0], [1.0, 4.0])
    array([ 0., -2.])
    """
    return loss_and_gradient("mse", y_pred, y, sample_weight)[1]


def huber(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, delta: float = 1.0
) -> float:
    """Return the mean of ``d^2 / 2`` where ``d = abs(y_pred - y) <= delta``, else of ``delta (d - delta / 2)``.

    Parameters
    ----------
    y_pred, y : array_like of shape (n,) or (n, k)
    sample_weight : array_like of shape (n,) or (n, k), optional
        Of rows or of outputs: the loss is then the weighted mean over these.
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
    return loss_and_gradient("huber", y_pred, y, sample_weight, delta=_delta("huber", delta))[0]


def huber_grad(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, delta: float = 1.0
) -> Array:
    """Return the gradient of ``huber`` with respect to y_pred: ``y_pred - y``, within ``-delta`` and ``delta``, over n.

    Examples
    --------
    >>> huber_grad([1.0, 2.0], [1.5, 6.0])
    array([-0.25, -0.5 ])
    """
    return loss_and_gradient("huber", y_pred, y, sample_weight, delta=_delta("huber_grad", delta))[1]


def _delta(operation: str, delta: float) -> float:
    return _check.number(operation, "delta", delta, above=0)


def mae(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the mean absolute error, ``mean(abs(y_pred - y))``.

    Parameters
    ----------
    y_pred, y : array_like of shape (n,) or (n, k)
    sample_weight : array_like of shape (n,) or (n, k), optional
        Of rows or of outputs: the loss is then the weighted mean over these.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, or for 0 rows.

    Examples
    --------
    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return loss_and_gradient("mae", y_pred, y, sample_weight)[0]


def mae_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``mae`` with respect to y_pred, ``sign(y_pred - y) / n``: 0 where they are equal.

    Examples
    --------
    >>> mae_grad([1.0, 2.0], [1.0, 4.0])
    array([ 0. , -0.5])
    """
    return loss_and_gradient("mae", y_pred, y, sample_weight)[1]


def log_cosh(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the mean of ``log(cosh(y_pred - y))``, which neither overflows nor loses small distances.

    Parameters
    ----------
    y_pred, y : array_like of shape (n,) or (n, k)
    sample_weight : array_like of shape (n,) or (n, k), optional
        Of rows or of outputs: the loss is then the weighted mean over these.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, or for 0 rows.

    Examples
    --------
    >>> round(log_cosh([1.0, 1000.0], [1.0, 0.0]), 6)
    499.653426
    """
    return loss_and_gradient("log_cosh", y_pred, y, sample_weight)[0]


def log_cosh_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``log_cosh`` with respect to y_pred, ``tanh(y_pred - y) / n``.

    Examples
    --------
    >>> log_cosh_grad([1.0, 1000.0], [1.0, 0.0])
    array([0. , 0.5])
    """
    return loss_and_gradient("log_cosh", y_pred, y, sample_weight)[1]


def quantile(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, q: float = 0.5
) -> float:
    """Return the mean of ``max(q (y - y_pred), (1 - q) (y_pred - y))``, known as pinball loss.

    Parameters
    ----------
    y_pred, y : array_like of shape (n,) or (n, k)
    sample_weight : array_like of shape (n,) or (n, k), optional
        Of rows or of outputs: the loss is then the weighted mean over these.
    q : float
        Between 0 and 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        When the shapes do not fit, for 0 rows, or a q that is no number between 0 and 1.

    Examples
    --------
    >>> quantile([0.0], [2.0], q=0.75), quantile([2.0], [0.0], q=0.75)
    (1.5, 0.5)
    """
    return loss_and_gradient("quantile", y_pred, y, sample_weight, q=_share("quantile", q))[0]


def quantile_grad(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, q: float = 0.5
) -> Array:
    """Return the gradient of ``quantile`` with respect to y_pred: ``-q`` or ``1 - q``, and 0 at the kink, over n.

    Examples
    --------
    >>> quantile_grad([0.0, 2.0, 1.0], [2.0, 0.0, 1.0], q=0.75) * 3
    array([-0.75,  0.25,  0.  ])
    """
    return loss_and_gradient("quantile", y_pred, y, sample_weight, q=_share("quantile_grad", q))[1]


def _share(operation: str, q: float) -> float:
    return _check.number(operation, "q", q, above=0, below=1)
