"""Start values by the size of the layer, so that numbers keep their size on the way through many."""

from __future__ import annotations

from nnext._fields import number
from nnext.initializers.base import Initializer

__all__ = [
    "fan_in_uniform",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
]


class he_uniform(Initializer):
    """Uniform within ``sqrt(6 / ((1 + negative_slope^2) fan_in))``: He et al., 2015, for ReLU and LeakyReLU.

    PyTorch calls it ``kaiming_uniform_``.

    Parameters
    ----------
    negative_slope : float
        Of the LeakyReLU after the layer; 0 for ReLU.

    Raises
    ------
    ValueError
        Unless it is finite.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(6, 100, weight_init="he_uniform")).state_dict()["0.weight"]
    >>> round(float(abs(weight).max()), 2)
    1.0
    """

    negative_slope: float = number(default=0.0)


class he_normal(Initializer):
    """Normal with variance ``2 / ((1 + negative_slope^2) fan_in)``: He et al., 2015, for ReLU and LeakyReLU.

    PyTorch calls it ``kaiming_normal_``; Keras' is truncated.

    Parameters
    ----------
    negative_slope : float
        Of the LeakyReLU after the layer; 0 for ReLU.

    Raises
    ------
    ValueError
        Unless it is finite.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(50, 100, weight_init="he_normal")).state_dict()["0.weight"]
    >>> round(float(weight.std()), 2)
    0.2
    """

    negative_slope: float = number(default=0.0)


class glorot_uniform(Initializer):
    """Uniform within ``gain sqrt(6 / (fan_in + fan_out))``: Glorot and Bengio, 2010, for tanh.

    Parameters
    ----------
    gain : float
        Of the activation after the layer: 1 for sigmoid and none, 5/3 for tanh, sqrt(2) for ReLU, 3/4 for SELU, as
        PyTorch's ``calculate_gain`` has them.

    Raises
    ------
    ValueError
        Unless it is finite.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(50, 100, weight_init="glorot_uniform")).state_dict()["0.weight"]
    >>> round(float(abs(weight).max()), 2)
    0.2
    """

    gain: float = number(default=1.0)


class glorot_normal(Initializer):
    """Normal with variance ``2 gain^2 / (fan_in + fan_out)``: Glorot and Bengio, 2010, for tanh.

    Parameters
    ----------
    gain : float
        Of the activation after the layer: 1 for sigmoid and none, 5/3 for tanh, sqrt(2) for ReLU, 3/4 for SELU, as
        PyTorch's ``calculate_gain`` has them.

    Raises
    ------
    ValueError
        Unless it is finite.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(100, 100, weight_init="glorot_normal")).state_dict()["0.weight"]
    >>> round(float(weight.std()), 2)
    0.1
    """

    gain: float = number(default=1.0)


class lecun_uniform(Initializer):
    """Uniform within ``sqrt(3 / fan_in)``: LeCun et al., 1998.

    Examples
    --------
    >>> import nnext as nn
    >>> weight = nn.Sequential(nn.Linear(75, 100, weight_init="lecun_uniform")).state_dict()["0.weight"]
    >>> round(float(abs(weight).max()), 2)
    0.2
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
