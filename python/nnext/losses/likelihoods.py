"""Likelihoods of numbers whose spread grows with their mean: losses of generalized linear models with a log link."""

from __future__ import annotations

from typing import ClassVar

from nnext.losses.base import Loss

__all__ = ["Gamma", "Poisson"]


class Poisson(Loss):
    """Negative log likelihood of counts y with the mean ``exp(z)``, ``mean(exp(z) - y z)``.

    The outputs z are logarithms of means, which so are positive whatever the network says: ``predict`` gives z, and
    ``numpy.exp(model.predict(X))`` the means. These are what metrics compare with the targets. PyTorch's
    ``PoissonNLLLoss`` by its defaults, scikit-learn's ``PoissonRegressor``; what depends on y alone is left out, so the
    loss can be below 0. Targets are numbers of at least 0.

    Examples
    --------
    >>> import nnext as nn
    >>> import numpy as np
    >>> model = nn.Sequential(nn.Linear(1, 1, weight_init="zeros"), dtype="float64")
    >>> model.compile(loss=nn.Poisson(), optimizer=nn.SGD(lr=0.1), metrics=["mae"])
    >>> history = model.fit(np.zeros((4, 1)), [1, 2, 2, 3], epochs=200, verbose=0)
    >>> np.exp(model.predict([[0.0]])).round(6)  # the mean of the counts
    array([[2.]])
    >>> round(model.evaluate([[0.0]], [3.0])["mae"], 6)
    1.0
    """

    name = "poisson"
    takes = "log_means"


class Gamma(Loss):
    """Negative log likelihood of gamma distributed y with the mean ``exp(z)``, ``mean(z + y exp(-z))``.

    For amounts above 0 whose spread is in proportion to their mean: costs, durations. As for `Poisson`, the outputs z
    are logarithms of means: ``predict`` gives z, and metrics compare ``exp(z)``. It is the likelihood over the
    distribution's shape, without what depends on y alone: half the deviance but for a constant, as in scikit-learn's
    ``GammaRegressor``.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Identity(), dtype="float64")
    >>> model.compile(loss=nn.Gamma())
    >>> [round(model.evaluate([[z]], [1.0])["loss"], 4) for z in (-0.5, 0.0, 0.5)]  # least for z = log(1)
    [1.1487, 1.0, 1.1065]
    """

    name = "gamma"
    takes = "log_means"
    any_target: ClassVar[float] = 1.0
