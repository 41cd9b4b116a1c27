"""Start values that know nothing of the layer: a number, or a distribution."""

from __future__ import annotations

from nnext import _check
from nnext._fields import number
from nnext.initializers.base import Initializer

__all__ = ["constant", "normal", "ones", "truncated_normal", "uniform", "zeros"]


class zeros(Initializer):
    """All zero.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Linear(2, 1, weight_init="zeros")).state_dict()["0.weight"]
    array([[0., 0.]], dtype=float32)
    """


class ones(Initializer):
    """All one.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Linear(2, 1, weight_init="ones")).state_dict()["0.weight"]
    array([[1., 1.]], dtype=float32)
    """


class constant(Initializer):
    """All the same number.

    Parameters
    ----------
    value : float

    Raises
    ------
    ValueError
        Unless it is finite.

    Examples
    --------
    The share of class 1 as a network of one output knows it before it has seen a sample:

    >>> import numpy as np
    >>> import nnext as nn
    >>> rare = nn.initializers.constant(np.log(0.02 / 0.98))
    >>> model = nn.Sequential(nn.Linear(2, 1, weight_init="zeros", bias_init=rare), nn.Sigmoid())
    >>> model.predict([[3.0, -7.0]]).round(4)
    array([[0.02]], dtype=float32)
    """

    value: float = number(default=0.0)


class uniform(Initializer):
    """Uniform in (low, high).

    Parameters
    ----------
    low, high : float

    Raises
    ------
    ValueError
        Unless low < high, both finite.

    Examples
    --------
    >>> uniform(-1, 1)
    uniform(low=-1.0, high=1.0)
    """

    low: float = number(default=-0.05)
    high: float = number(default=0.05)

    def check(self) -> None:
        """Refuse an empty interval."""
        _check.number("uniform", "high", self.high, above=self.low)


class normal(Initializer):
    """The normal distribution with a mean and a standard deviation.

    Parameters
    ----------
    mean, std : float

    Raises
    ------
    ValueError
        Unless both are finite and std >= 0.

    Examples
    --------
    >>> normal(std=0.01)
    normal(std=0.01)
    """

    mean: float = number(default=0.0)
    std: float = number(default=0.05, low=0)


class truncated_normal(Initializer):
    """The normal distribution without what lies more than two standard deviations from the mean, as Keras'.

    Such numbers are drawn again; the rest spreads by ``0.8796 std``.

    Parameters
    ----------
    mean, std : float
        Of the normal distribution.

    Raises
    ------
    ValueError
        Unless both are finite and std >= 0.

    Examples
    --------
    >>> import nnext as nn
    >>> layer = nn.Linear(100, 100, weight_init=truncated_normal(std=0.5))
    >>> bool(abs(nn.Sequential(layer).state_dict()["0.weight"]).max() <= 1)
    True
    """

    mean: float = number(default=0.0)
    std: float = number(default=0.05, low=0)
