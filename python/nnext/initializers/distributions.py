"""Start values that know nothing of the layer: a number, or a distribution."""

from __future__ import annotations

import math

from nnext import _check
from nnext._fields import number
from nnext.initializers.base import Initializer

__all__ = ["constant", "normal", "ones", "truncated_normal", "uniform", "zeros"]

# Of a normal number, in standard deviations, as the least uniform one that it is made of is 2^-33.
_FARTHEST = math.sqrt(66 * math.log(2))


def _require_finite(initializer: Initializer, largest: float) -> None:
    if not math.isfinite(largest):
        raise ValueError(
            f"[{type(initializer).__name__}] {initializer} may draw infinite numbers; give smaller settings"
        )


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
        Unless low < high, both and their difference finite.

    Examples
    --------
    >>> uniform(-1, 1)
    uniform(low=-1.0, high=1.0)
    """

    low: float = number(default=-0.05)
    high: float = number(default=0.05)

    def check(self) -> None:
        """Refuse an empty interval, and one whose length overflows."""
        _check.number("uniform", "high", self.high, above=self.low)
        _require_finite(self, self.high - self.low)


class normal(Initializer):
    """The normal distribution with a mean and a standard deviation.

    Parameters
    ----------
    mean, std : float

    Raises
    ------
    ValueError
        Unless std >= 0, and both are finite, as all numbers that may be drawn, up to 6.8 std from the mean.

    Examples
    --------
    >>> normal(std=0.01)
    normal(std=0.01)
    """

    mean: float = number(default=0.0)
    std: float = number(default=0.05, low=0)

    def check(self) -> None:
        """Refuse numbers that overflow."""
        _require_finite(self, abs(self.mean) + _FARTHEST * self.std)


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
        Unless std >= 0, and both are finite, as all numbers that may be drawn, up to 2 std from the mean.

    Examples
    --------
    >>> import nnext as nn
    >>> layer = nn.Linear(100, 100, weight_init=truncated_normal(std=0.5))
    >>> bool(abs(nn.Sequential(layer).state_dict()["0.weight"]).max() <= 1)
    True
    """

    mean: float = number(default=0.0)
    std: float = number(default=0.05, low=0)

    def check(self) -> None:
        """Refuse numbers that overflow."""
        _require_finite(self, abs(self.mean) + 2 * self.std)
