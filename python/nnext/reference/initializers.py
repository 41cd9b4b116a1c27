"""First weights of a layer, of shape (out_features, in_features), in float64.

Each takes the network's seed and the index of the layer in it; ``fan_in`` is in_features, ``fan_out`` out_features. The
weights of a convolution are a matrix with a row an output.
"""

from __future__ import annotations

import math

import numpy as np

from nnext.reference import random
from nnext.reference.arrays import Array

_WEIGHT, _BIAS = 0, 1


def _stream(layer: int, parameter: int) -> int:
    return random.stream(random.INITIALIZE, 4 * layer + parameter)


def uniform(shape: tuple[int, ...], low: float, high: float, seed: int = 0, layer: int = 0) -> Array:
    """Draw weights evenly between `low` and `high`.

    Examples
    --------
    >>> uniform((1, 2), -1, 1).round(4)
    array([[-0.2019,  0.761 ]])
    """
    return low + (high - low) * random.uniform(seed, _stream(layer, _WEIGHT), math.prod(shape)).reshape(shape)


def normal(shape: tuple[int, ...], mean: float = 0.0, std: float = 0.05, seed: int = 0, layer: int = 0) -> Array:
    """Draw weights from the normal distribution.

    Examples
    --------
    >>> normal((1, 2), std=1.0).round(4)
    array([[ 0.9911, -0.6176]])
    """
    return mean + std * random.normal(seed, _stream(layer, _WEIGHT), math.prod(shape)).reshape(shape)


def truncated_normal(
    shape: tuple[int, ...], mean: float = 0.0, std: float = 0.05, seed: int = 0, layer: int = 0
) -> Array:
    """Draw weights from the normal distribution until none lies more than two standard deviations from the mean.

    Number i of n is the first of the numbers i, i + n, i + 2 n ... of the standard normal distribution within 2.

    Examples
    --------
    >>> abs(truncated_normal((30, 30), std=1.0)).max() <= 2
    np.True_
    """
    n, tries = math.prod(shape), 1
    while True:
        drawn = random.normal(seed, _stream(layer, _WEIGHT), tries * n).reshape(tries, n)
        within = abs(drawn) <= 2
        if within.any(axis=0).all():
            return np.asarray(mean + std * drawn[within.argmax(axis=0), np.arange(n)].reshape(shape))
        tries *= 2


def constant(shape: tuple[int, ...], value: float = 0.0, seed: int = 0, layer: int = 0) -> Array:
    """Return weights that are all the same.

    Examples
    --------
    >>> constant((1, 2), 0.5)
    array([[0.5, 0.5]])
    """
    return np.full(shape, float(value))


def ones(shape: tuple[int, ...], seed: int = 0, layer: int = 0) -> Array:
    """Return weights that are all 1.

    Examples
    --------
    >>> ones((1, 2))
    array([[1., 1.]])
    """
    return np.ones(shape)


def zeros(shape: tuple[int, ...], seed: int = 0, layer: int = 0) -> Array:
    """Return weights that are all 0: units start equal and stay equal, so this suits biases and single layers only.

    Examples
    --------
    >>> zeros((1, 2))
    array([[0., 0.]])
    """
    return np.zeros(shape)


def _symmetric(shape: tuple[int, int], bound: float, seed: int, layer: int) -> Array:
    return uniform(shape, -bound, bound, seed, layer)


def he_uniform(shape: tuple[int, int], negative_slope: float = 0.0, seed: int = 0, layer: int = 0) -> Array:
    """Draw evenly within ``sqrt(6 / ((1 + negative_slope^2) fan_in))``, for ReLU (He et al., ICCV 2015).

    Examples
    --------
    >>> he_uniform((1, 6)).shape
    (1, 6)
    """
    return _symmetric(shape, math.sqrt(6 / ((1 + negative_slope**2) * shape[1])), seed, layer)


def he_normal(shape: tuple[int, int], negative_slope: float = 0.0, seed: int = 0, layer: int = 0) -> Array:
    """Draw normally with variance ``2 / ((1 + negative_slope^2) fan_in)``, for ReLU (He et al., ICCV 2015).

    Examples
    --------
    >>> he_normal((1, 6)).shape
    (1, 6)
    """
    return normal(shape, 0.0, math.sqrt(2 / ((1 + negative_slope**2) * shape[1])), seed, layer)


def glorot_uniform(shape: tuple[int, int], gain: float = 1.0, seed: int = 0, layer: int = 0) -> Array:
    """Draw evenly within ``gain sqrt(6 / (fan_in + fan_out))``, for tanh (Glorot and Bengio, AISTATS 2010).

    Examples
    --------
    >>> glorot_uniform((1, 6)).shape
    (1, 6)
    """
    return _symmetric(shape, gain * math.sqrt(6 / (shape[0] + shape[1])), seed, layer)


def glorot_normal(shape: tuple[int, int], gain: float = 1.0, seed: int = 0, layer: int = 0) -> Array:
    """Draw normally with standard deviation ``gain sqrt(2 / (fan_in + fan_out))`` (Glorot and Bengio, AISTATS 2010).

    Examples
    --------
    >>> glorot_normal((1, 6)).shape
    (1, 6)
    """
    return normal(shape, 0.0, gain * math.sqrt(2 / (shape[0] + shape[1])), seed, layer)


def lecun_uniform(shape: tuple[int, int], seed: int = 0, layer: int = 0) -> Array:
    """Draw evenly within ``sqrt(3 / fan_in)`` (LeCun et al., Efficient BackProp, 1998).

    Examples
    --------
    >>> lecun_uniform((1, 6)).shape
    (1, 6)
    """
    return _symmetric(shape, math.sqrt(3 / shape[1]), seed, layer)


def lecun_normal(shape: tuple[int, int], seed: int = 0, layer: int = 0) -> Array:
    """Draw normally with standard deviation ``sqrt(1 / fan_in)`` (LeCun et al., Efficient BackProp, 1998).

    Examples
    --------
    >>> lecun_normal((1, 6)).shape
    (1, 6)
    """
    return normal(shape, 0.0, math.sqrt(1 / shape[1]), seed, layer)


def orthogonal(shape: tuple[int, int], gain: float = 1.0, seed: int = 0, layer: int = 0) -> Array:
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
    q, r = np.linalg.qr(normal((fewer, more), 0.0, 1.0, seed, layer).T)
    columns = gain * q * np.sign(np.diag(r))
    return np.asarray(columns.T if shape[0] <= shape[1] else columns)


def fan_in_uniform(shape: tuple[int, int], seed: int = 0, layer: int = 0) -> Array:
    """Draw evenly within ``1 / sqrt(fan_in)``: PyTorch's default.

    Examples
    --------
    >>> fan_in_uniform((1, 4)).shape
    (1, 4)
    """
    return _symmetric(shape, 1 / math.sqrt(shape[1]), seed, layer)


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
    return fan_in_uniform((out_features, in_features), seed, layer), vector_default(
        out_features, in_features, seed, layer
    )


def vector_default(size: int, fan_in: int, seed: int = 0, layer: int = 0, parameter: int = _BIAS) -> Array:
    """Draw numbers evenly within ``1 / sqrt(fan_in)``: a bias, or another of a layer's parameters.

    Examples
    --------
    >>> bool(abs(vector_default(3, 4)).max() < 0.5)
    True
    """
    bound = 1 / math.sqrt(fan_in)
    return np.asarray(-bound + 2 * bound * random.uniform(seed, _stream(layer, parameter), size))
