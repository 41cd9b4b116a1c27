"""Likelihoods of numbers whose mean is the exponential of an output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext.functional.losses.compute import loss_and_gradient

__all__ = [
    "gamma",
    "gamma_grad",
    "poisson",
    "poisson_grad",
]

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.functional.losses.compute import Array


def poisson(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the negative log likelihood of counts with the mean ``exp(z)``, ``mean(exp(z) - y z)``, without log(y!).

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Logarithms z of means.
    y : array_like of the same shape
        At least 0.
    sample_weight : array_like of shape (n,) or (n, k), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, or for 0 rows, or targets below 0.

    Examples
    --------
    >>> poisson([0.0, 0.0], [1.0, 4.0])
    1.0
    """
    return loss_and_gradient("poisson", y_pred, y, sample_weight)[0]


def poisson_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``poisson``, ``(exp(z) - y) / n``.

    Examples
    --------
    >>> poisson_grad([0.0, 0.0], [1.0, 4.0])
    array([ 0. , -1.5])
    """
    return loss_and_gradient("poisson", y_pred, y, sample_weight)[1]


def gamma(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Return the negative log likelihood of gamma distributed y with the mean ``exp(z)``, ``mean(z + y exp(-z))``.

    It is over the distribution's shape, and without what depends on y alone.

    Parameters
    ----------
    y_pred : array_like of shape (n,) or (n, k)
        Logarithms z of means.
    y : array_like of the same shape
        Greater than 0.
    sample_weight : array_like of shape (n,) or (n, k), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes do not fit, or for 0 rows, or targets that are not above 0.

    Examples
    --------
    >>> gamma([0.0, 0.0], [1.0, 4.0])
    2.5
    """
    return loss_and_gradient("gamma", y_pred, y, sample_weight)[0]


def gamma_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Return the gradient of ``gamma``, ``(1 - y exp(-z)) / n``.

    Examples
    --------
    >>> gamma_grad([0.0, 0.0], [1.0, 4.0])
    array([ 0. , -1.5])
    """
    return loss_and_gradient("gamma", y_pred, y, sample_weight)[1]
