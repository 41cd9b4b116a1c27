"""Likelihoods of numbers whose mean is the exponential of an output."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnext.reference.arrays import Array
from nnext.reference.losses.means import mean, mean_grad
from nnext.reference.targets import values

__all__ = [
    "gamma",
    "gamma_grad",
    "poisson",
    "poisson_grad",
]


def poisson(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Likelihood of counts with the mean ``exp(z)``, z = y_pred: ``l_i = mean_j exp(z) - y z``, without ``log(y!)``.

    Arguments and errors are those of `mse`; targets are at least 0.

    Examples
    --------
    >>> poisson([0.0, 0.0], [1.0, 4.0])
    1.0
    """
    z, t, scale = values("poisson", y_pred, y, sample_weight)
    return mean(scale, np.exp(z) - t * z)


def poisson_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `poisson`, ``exp(z) - y``; the result has y_pred's shape.

    Examples
    --------
    >>> poisson_grad([0.0, 0.0], [1.0, 4.0])
    array([ 0. , -1.5])
    """
    z, t, scale = values("poisson_grad", y_pred, y, sample_weight)
    return mean_grad(scale, (np.exp(z) - t) / z.shape[1], y_pred)


def gamma(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
    """Likelihood of gamma distributed y with the mean ``exp(z)``, z = y_pred: ``l_i = mean_j z + y exp(-z)``.

    It is over the distribution's shape, without what depends on y alone. Arguments and errors are those of `mse`;
    targets are greater than 0.

    Examples
    --------
    >>> gamma([0.0, 0.0], [1.0, 4.0])
    2.5
    """
    z, t, scale = values("gamma", y_pred, y, sample_weight)
    return mean(scale, z + t * np.exp(-z))


def gamma_grad(y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Array:
    """Gradient of `gamma`, ``1 - y exp(-z)``; the result has y_pred's shape.

    Examples
    --------
    >>> gamma_grad([0.0, 0.0], [1.0, 4.0])
    array([ 0. , -1.5])
    """
    z, t, scale = values("gamma_grad", y_pred, y, sample_weight)
    return mean_grad(scale, (1 - t * np.exp(-z)) / z.shape[1], y_pred)
