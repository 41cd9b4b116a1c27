"""Start values of parameters, drawn from Philox: a function of seed, layer and element, the same on every machine.

A layer takes a name (``weight_init="he_uniform"``) or what one of these functions gives. The default of ``Linear`` is
PyTorch's: weight and bias uniform within ``1 / sqrt(in_features)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnext import _check


@dataclass(frozen=True)
class Initializer:
    """A distribution by name with its parameters.

    Parameters
    ----------
    name : str
        As the functions of this module are called, or "fan_in_uniform", PyTorch's default.
    a, b : float
        The distribution's parameters, where it has some.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.initializers.normal(std=0.1)
    Initializer(name='normal', a=0.0, b=0.1)
    """

    name: str
    a: float = 0.0
    b: float = 0.0


def zeros() -> Initializer:
    """All zero.

    Examples
    --------
    >>> zeros()
    Initializer(name='zeros', a=0.0, b=0.0)
    """
    return Initializer("zeros")


def uniform(low: float = -0.05, high: float = 0.05) -> Initializer:
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
    Initializer(name='uniform', a=-1.0, b=1.0)
    """
    bottom = _check.number("uniform", "low", low)
    return Initializer("uniform", bottom, _check.number("uniform", "high", high, low=bottom, above=True))


def normal(mean: float = 0.0, std: float = 0.05) -> Initializer:
    """Draw from the normal distribution with a mean and a standard deviation.

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
    Initializer(name='normal', a=0.0, b=0.01)
    """
    return Initializer("normal", _check.number("normal", "mean", mean), _check.number("normal", "std", std, low=0))


def he_uniform() -> Initializer:
    """Uniform within ``sqrt(6 / fan_in)``: He et al., 2015, for ReLU.

    Examples
    --------
    >>> he_uniform().name
    'he_uniform'
    """
    return Initializer("he_uniform")


def he_normal() -> Initializer:
    """Draw from the normal distribution with variance ``2 / fan_in``: He et al., 2015, for ReLU.

    Examples
    --------
    >>> he_normal().name
    'he_normal'
    """
    return Initializer("he_normal")


def glorot_uniform() -> Initializer:
    """Uniform within ``sqrt(6 / (fan_in + fan_out))``: Glorot and Bengio, 2010, for tanh.

    Examples
    --------
    >>> glorot_uniform().name
    'glorot_uniform'
    """
    return Initializer("glorot_uniform")


def glorot_normal() -> Initializer:
    """Draw from the normal distribution with variance ``2 / (fan_in + fan_out)``: Glorot and Bengio, 2010, for tanh.

    Examples
    --------
    >>> glorot_normal().name
    'glorot_normal'
    """
    return Initializer("glorot_normal")


def lecun_normal() -> Initializer:
    """Draw from the normal distribution with variance ``1 / fan_in``: LeCun et al., 1998.

    Examples
    --------
    >>> lecun_normal().name
    'lecun_normal'
    """
    return Initializer("lecun_normal")


def orthogonal(gain: float = 1.0) -> Initializer:
    """Orthonormal rows, or columns where there are fewer, times gain: Saxe et al., 2014. For weights only.

    Parameters
    ----------
    gain : float

    Examples
    --------
    >>> orthogonal().a
    1.0
    """
    return Initializer("orthogonal", _check.number("orthogonal", "gain", gain))


_BY_NAME = {
    f.__name__: f
    for f in (
        zeros,
        uniform,
        normal,
        he_uniform,
        he_normal,
        glorot_uniform,
        glorot_normal,
        lecun_normal,
        orthogonal,
    )
}


def get(initializer: Any, name: str) -> Initializer:
    """Look an initializer up by name; None is PyTorch's default, an Initializer is given back.

    Parameters
    ----------
    initializer : Initializer, str or None
    name : str
        Of the argument, for the message.

    Raises
    ------
    TypeError, ValueError
        For anything else, or an unknown name.

    Examples
    --------
    >>> get(None, "weight_init").name
    'fan_in_uniform'
    """
    if initializer is None:
        return Initializer("fan_in_uniform")
    if isinstance(initializer, Initializer):
        return initializer
    return _BY_NAME[_check.choice("Linear", name, initializer, _BY_NAME)]()
