"""Start values of parameters, drawn from Philox: a function of seed, layer and element, the same on every machine.

A layer takes a name (``weight_init="he_uniform"``) or an object (``weight_init=nn.initializers.uniform(-1, 1)``). The
default of ``Linear`` is PyTorch's: weight and bias uniform within ``1 / sqrt(in_features)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from nnext import _check
from nnext._described import Described
from nnext._fields import number
from nnext._unknown import attributes_of

__all__ = [
    "Initializer",
    "fan_in_uniform",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "normal",
    "orthogonal",
    "uniform",
    "zeros",
]


class Initializer(Described, kind="initializer"):
    """Base of the initializers: a distribution with its parameters.

    Examples
    --------
    >>> import nnext as nn
    >>> layer = nn.Linear(2, 1, weight_init="orthogonal")
    >>> layer.weight_init, isinstance(layer.weight_init, nn.initializers.Initializer)
    (orthogonal(), True)
    """

    @classmethod
    def names(cls) -> dict[str, type[Self]]:
        """Return the initializers by name: the classes are called as people call them."""
        return cls.types()


class zeros(Initializer):
    """All zero.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Linear(2, 1, weight_init="zeros")).state_dict()["0.weight"]
    array([[0., 0.]], dtype=float32)
    """


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


class he_uniform(Initializer):
    """Uniform within ``sqrt(6 / fan_in)``: He et al., 2015, for ReLU.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(6, 100, weight_init="he_uniform")).state_dict()["0.weight"]
    >>> round(float(abs(weight).max()), 2)
    1.0
    """


class he_normal(Initializer):
    """The normal distribution with variance ``2 / fan_in``: He et al., 2015, for ReLU.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(50, 100, weight_init="he_normal")).state_dict()["0.weight"]
    >>> round(float(weight.std()), 2)
    0.2
    """


class glorot_uniform(Initializer):
    """Uniform within ``sqrt(6 / (fan_in + fan_out))``: Glorot and Bengio, 2010, for tanh.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(50, 100, weight_init="glorot_uniform")).state_dict()["0.weight"]
    >>> round(float(abs(weight).max()), 2)
    0.2
    """


class glorot_normal(Initializer):
    """The normal distribution with variance ``2 / (fan_in + fan_out)``: Glorot and Bengio, 2010, for tanh.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(100, 100, weight_init="glorot_normal")).state_dict()["0.weight"]
    >>> round(float(weight.std()), 2)
    0.1
    """


class lecun_normal(Initializer):
    """The normal distribution with variance ``1 / fan_in``: LeCun et al., 1998.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(100, 100, weight_init="lecun_normal")).state_dict()["0.weight"]
    >>> round(float(weight.std()), 2)
    0.1
    """


class orthogonal(Initializer):
    """Orthonormal rows, or columns where there are fewer, times gain: Saxe et al., 2014. For weights only.

    Parameters
    ----------
    gain : float

    Examples
    --------
    >>> import nnext as nn
    >>> w = nn.Sequential(nn.Linear(3, 2, weight_init=orthogonal(2.0)), dtype="float64").state_dict()["0.weight"]
    >>> abs(w @ w.T).round(12)
    array([[4., 0.],
           [0., 4.]])
    """

    gain: float = number(default=1.0)


class fan_in_uniform(Initializer):
    """Uniform within ``1 / sqrt(fan_in)``: PyTorch's default for weight and bias of Linear.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Linear(4, 2).weight_init
    fan_in_uniform()
    """


if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
