"""Losses of numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array
from nnext.reference.losses.means import mean, mean_grad
from nnext.reference.targets import values

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


def mse(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean squared error: ``l_i = mean_j (y_pred_ij - y_ij)^2``.

    Parameters
    ----------
    y_pred : array of shape (n, ...) or (n,)
        What the network says.
    y : array of y_pred's shape
        What it should say.
    sample_weight : array of shape (n,) or (n, outputs), optional
        Weights ``w_i >= 0`` of rows, or ``w_ij >= 0`` of outputs; 1 when absent.

    Returns
    -------
    float
        ``sum_i w_i l_i / sum_i w_i``, or ``sum_ij w_ij l_ij / sum_ij w_ij``.

    Raises
    ------
    ValueError
        When the shapes do not fit, there is no row, or a weight is negative or not finite.

    Examples
    --------
    >>> mse([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    p, t, scale = values("mse", y_pred, y, sample_weight)
    return mean(scale, (p - t) ** 2)


def mse_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `mse`; arguments and errors are the same, the result has y_pred's shape.

    Examples
    --------
    >>> mse_grad([1.0, 2.0], [0.0, 4.0])
    array([ 1., -2.])
    """
    p, t, scale = values("mse_grad", y_pred, y, sample_weight)
    return mean_grad(scale, 2 * (p - t) / p.shape[1], y_pred)


def huber(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, delta: float = 1.0
) -> float:
    """Huber's loss: ``l_i = mean_j`` of ``d^2 / 2`` where ``d = |y_pred_ij - y_ij| <= delta``, else of its tangent.

    The tangent at delta is ``delta (d - delta / 2)``. Source: Huber, Annals of Mathematical Statistics 35 (1964).

    Arguments and errors are those of `mse`, and `delta` > 0, where the tangent begins.

    Examples
    --------
    >>> huber([1.0, 2.0], [0.0, 4.0])
    1.0
    """
    p, t, scale = values("huber", y_pred, y, sample_weight)
    d = np.abs(p - t)
    return mean(scale, np.where(d <= delta, d * d / 2, delta * (d - delta / 2)))


def huber_grad(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, delta: float = 1.0
) -> Array:
    """Gradient of `huber`: ``y_pred - y``, cut off at ``-delta`` and ``delta``; the result has y_pred's shape.

    Examples
    --------
    >>> huber_grad([1.0, 2.0], [0.5, 4.0])
    array([ 0.25, -0.5 ])
    """
    p, t, scale = values("huber_grad", y_pred, y, sample_weight)
    return mean_grad(scale, np.clip(p - t, -delta, delta) / p.shape[1], y_pred)


def mae(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean absolute error: ``l_i = mean_j |y_pred_ij - y_ij|``; arguments and errors are those of `mse`.

    Examples
    --------
    >>> mae([1.0, 2.0], [0.0, 4.0])
    1.5
    """
    p, t, scale = values("mae", y_pred, y, sample_weight)
    return mean(scale, np.abs(p - t))


def mae_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `mae`, the sign of ``y_pred - y``: 0 where it is 0; the result has y_pred's shape.

    Examples
    --------
    >>> mae_grad([1.0, 2.0], [1.0, 4.0])
    array([ 0. , -0.5])
    """
    p, t, scale = values("mae_grad", y_pred, y, sample_weight)
    return mean_grad(scale, np.sign(p - t) / p.shape[1], y_pred)


def log_cosh(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """``l_i = mean_j log(cosh(d))`` with ``d = y_pred_ij - y_ij``; arguments and errors are those of `mse`.

    As ``|d| + log(1 + exp(-2 |d|)) - log(2)`` it does not overflow; below 1, where these cancel, it is ``log(1 + 2
    sinh(d / 2)^2)``.

    Examples
    --------
    >>> round(1e12 * log_cosh([1e-6], [0.0]), 9), round(log_cosh([1000.0], [0.0]), 4)
    (0.5, 999.3069)
    """
    p, t, scale = values("log_cosh", y_pred, y, sample_weight)
    d = np.abs(p - t)
    far = d + np.log1p(np.exp(-2 * d)) - np.log(2)
    return mean(scale, np.where(d < 1, np.log1p(2 * np.sinh(np.minimum(d, 1) / 2) ** 2), far))


def log_cosh_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `log_cosh`, ``tanh(y_pred - y)``; the result has y_pred's shape.

    Examples
    --------
    >>> log_cosh_grad([1000.0, 2.0], [0.0, 2.0])
    array([0.5, 0. ])
    """
    p, t, scale = values("log_cosh_grad", y_pred, y, sample_weight)
    return mean_grad(scale, np.tanh(p - t) / p.shape[1], y_pred)


def quantile(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, q: float = 0.5
) -> float:
    """Pinball loss: ``l_i = mean_j max(q (y_ij - y_pred_ij), (1 - q) (y_pred_ij - y_ij))``, with q between 0 and 1.

    Source: Koenker and Bassett, Econometrica 46 (1978). Arguments and errors are those of `mse`.

    Examples
    --------
    >>> quantile([0.0, 2.0], [2.0, 0.0], q=0.75)
    1.0
    """
    p, t, scale = values("quantile", y_pred, y, sample_weight)
    return mean(scale, np.maximum(q * (t - p), (1 - q) * (p - t)))


def quantile_grad(
    y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, q: float = 0.5
) -> Array:
    """Gradient of `quantile`: ``1 - q`` above the target, ``-q`` below, 0 at it; the result has y_pred's shape.

    Examples
    --------
    >>> quantile_grad([0.0, 2.0], [2.0, 0.0], q=0.75)
    array([-0.375,  0.125])
    """
    p, t, scale = values("quantile_grad", y_pred, y, sample_weight)
    slope = np.where(p > t, 1 - q, np.where(p < t, -q, p - t))  # NaN stays
    return mean_grad(scale, slope / p.shape[1], y_pred)
