"""First weights of a layer, of shape (out_features, in_features), in float64.

Each takes of which parameter of which layer they are (`Where`). The fans, ``fan_in`` and ``fan_out``, are the layer's
in_features and out_features: told by the shape, if they are not given. The weights of a convolution are a matrix with a
row an output.
"""

from __future__ import annotations

import math
from typing import TypedDict, Unpack

import numpy as np

from nnext.initializers import Initializer
from nnext.reference import random
from nnext.reference.arrays import Array


class Where(TypedDict, total=False):
    """Of which parameter the first values are; what is absent is 0, or told by the shape."""

    seed: int  # of the network
    layer: int  # its number in the network
    parameter: int  # its number in the layer: 0 is the weight, 1 the bias
    fans: tuple[int, int]  # fan_in and fan_out


def _stream(where: Where) -> tuple[int, int]:
    """Return the seed and the stream: from the fifth parameter on the field that is a step elsewhere counts on."""
    more, parameter = divmod(where.get("parameter", 0), 4)
    return where.get("seed", 0), random.stream(random.INITIALIZE, 4 * where.get("layer", 0) + parameter, more)


def _fans(shape: tuple[int, ...], where: Where) -> tuple[int, int]:
    return where["fans"] if "fans" in where else (shape[1], shape[0])


def _fan_in(shape: tuple[int, ...], where: Where) -> int:
    return _fans(shape, where)[0]


def drawn(initializer: Initializer, shape: tuple[int, ...], **where: Unpack[Where]) -> Array:
    """Draw as an `nnext` initializer describes, by the function of its name.

    Examples
    --------
    >>> from nnext import initializers
    >>> drawn(initializers.uniform(-1, 1), (1, 2)).round(4)
    array([[-0.2019,  0.761 ]])
    """
    settings = initializer.config()
    function = globals()[settings.pop("type")]
    return np.asarray(function(shape, **settings, **where))


def uniform(shape: tuple[int, ...], low: float, high: float, **where: Unpack[Where]) -> Array:
    """Draw weights evenly between `low` and `high`.

    Examples
    --------
    >>> uniform((1, 2), -1, 1).round(4)
    array([[-0.2019,  0.761 ]])
    """
    return low + (high - low) * random.uniform(*_stream(where), math.prod(shape)).reshape(shape)


def normal(shape: tuple[int, ...], mean: float = 0.0, std: float = 0.05, **where: Unpack[Where]) -> Array:
    """Draw weights from the normal distribution.

    Examples
    --------
    >>> normal((1, 2), std=1.0).round(4)
    array([[ 0.9911, -0.6176]])
    """
    return mean + std * random.normal(*_stream(where), math.prod(shape)).reshape(shape)


def truncated_normal(shape: tuple[int, ...], mean: float = 0.0, std: float = 0.05, **where: Unpack[Where]) -> Array:
    """Draw weights from the normal distribution until none lies more than two standard deviations from the mean.

    Number i of n is the first of the numbers i, i + n, i + 2 n ... of the standard normal distribution within 2.

    Examples
    --------
    >>> abs(truncated_normal((30, 30), std=1.0)).max() <= 2
    np.True_
    """
    n, tries = math.prod(shape), 1
    while True:
        tried = random.normal(*_stream(where), tries * n).reshape(tries, n)
        within = abs(tried) <= 2
        if within.any(axis=0).all():
            return np.asarray(mean + std * tried[within.argmax(axis=0), np.arange(n)].reshape(shape))
        tries *= 2


def constant(shape: tuple[int, ...], value: float = 0.0, **where: Unpack[Where]) -> Array:
    """Return weights that are all the same.

    Examples
    --------
    >>> constant((1, 2), 0.5)
    array([[0.5, 0.5]])
    """
    return np.full(shape, float(value))


def ones(shape: tuple[int, ...], **where: Unpack[Where]) -> Array:
    """Return weights that are all 1.

    Examples
    --------
    >>> ones((1, 2))
    array([[1., 1.]])
    """
    return np.ones(shape)


def zeros(shape: tuple[int, ...], **where: Unpack[Where]) -> Array:
    """Return weights that are all 0: units start equal and stay equal, so this suits biases and single layers only.

    Examples
    --------
    >>> zeros((1, 2))
    array([[0., 0.]])
    """
    return np.zeros(shape)


def _symmetric(shape: tuple[int, ...], bound: float, where: Where) -> Array:
    return uniform(shape, -bound, bound, **where)


def he_uniform(shape: tuple[int, ...], negative_slope: float = 0.0, **where: Unpack[Where]) -> Array:
    """Draw evenly within ``sqrt(6 / ((1 + negative_slope^2) fan_in))``, for ReLU (He et al., ICCV 2015).

    Examples
    --------
    >>> he_uniform((1, 6)).shape
    (1, 6)
    """
    return _symmetric(shape, math.sqrt(6 / ((1 + negative_slope**2) * _fan_in(shape, where))), where)


def he_normal(shape: tuple[int, ...], negative_slope: float = 0.0, **where: Unpack[Where]) -> Array:
    """Draw normally with variance ``2 / ((1 + negative_slope^2) fan_in)``, for ReLU (He et al., ICCV 2015).

    Examples
    --------
    >>> he_normal((1, 6)).shape
    (1, 6)
    """
    return normal(shape, 0.0, math.sqrt(2 / ((1 + negative_slope**2) * _fan_in(shape, where))), **where)


def glorot_uniform(shape: tuple[int, ...], gain: float = 1.0, **where: Unpack[Where]) -> Array:
    """Draw evenly within ``gain sqrt(6 / (fan_in + fan_out))``, for tanh (Glorot and Bengio, AISTATS 2010).

    Examples
    --------
    >>> glorot_uniform((1, 6)).shape
    (1, 6)
    """
    return _symmetric(shape, gain * math.sqrt(6 / sum(_fans(shape, where))), where)


def glorot_normal(shape: tuple[int, ...], gain: float = 1.0, **where: Unpack[Where]) -> Array:
    """Draw normally with standard deviation ``gain sqrt(2 / (fan_in + fan_out))`` (Glorot and Bengio, AISTATS 2010).

    Examples
    --------
    >>> glorot_normal((1, 6)).shape
    (1, 6)
    """
    return normal(shape, 0.0, gain * math.sqrt(2 / sum(_fans(shape, where))), **where)


def lecun_uniform(shape: tuple[int, ...], **where: Unpack[Where]) -> Array:
    """Draw evenly within ``sqrt(3 / fan_in)`` (LeCun et al., Efficient BackProp, 1998).

    Examples
    --------
    >>> lecun_uniform((1, 6)).shape
    (1, 6)
    """
    return _symmetric(shape, math.sqrt(3 / _fan_in(shape, where)), where)


def lecun_normal(shape: tuple[int, ...], **where: Unpack[Where]) -> Array:
    """Draw normally with standard deviation ``sqrt(1 / fan_in)`` (LeCun et al., Efficient BackProp, 1998).

    Examples
    --------
    >>> lecun_normal((1, 6)).shape
    (1, 6)
    """
    return normal(shape, 0.0, math.sqrt(1 / _fan_in(shape, where)), **where)


def orthogonal(shape: tuple[int, int], gain: float = 1.0, **where: Unpack[Where]) -> Array:
    """Draw a matrix whose rows, or columns where there are fewer, are orthogonal and `gain` long.

    It keeps the length of what passes through (Saxe, McClelland and Ganguli, ICLR 2014). QR decomposition of normal
    numbers, with the signs that Gram and Schmidt's process gives.

    Examples
    --------
    >>> w = orthogonal((2, 3))
    >>> abs(w @ w.T).round(12)
    array([[1., 0.],
           [0., 1.]])
    """
    fewer, more = sorted(shape)
    q, r = np.linalg.qr(normal((fewer, more), 0.0, 1.0, **where).T)
    columns = gain * q * np.sign(np.diag(r))
    return np.asarray(columns.T if shape[0] <= shape[1] else columns)


def fan_in_uniform(shape: tuple[int, ...], **where: Unpack[Where]) -> Array:
    """Draw evenly within ``1 / sqrt(fan_in)``: PyTorch's default.

    Examples
    --------
    >>> fan_in_uniform((1, 4)).shape
    (1, 4)
    """
    return _symmetric(shape, 1 / math.sqrt(_fan_in(shape, where)), where)


def linear_default(out_features: int, in_features: int, seed: int = 0, layer: int = 0) -> tuple[Array, Array]:
    """Draw a Linear layer's weight and bias as PyTorch does: both evenly within ``1 / sqrt(in_features)``.

    Returns
    -------
    weight : float64 array of shape (out_features, in_features)
    bias : float64 array of shape (out_features,)

    Examples
    --------
    >>> weight, bias = linear_default(2, 4)
    >>> weight.shape, bias.shape, bool(abs(weight).max() < 0.5)
    ((2, 4), (2,), True)
    """
    weight = fan_in_uniform((out_features, in_features), seed=seed, layer=layer)
    fans = in_features, out_features
    return weight, fan_in_uniform((out_features,), seed=seed, layer=layer, parameter=1, fans=fans)
