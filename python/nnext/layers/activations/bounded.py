"""Activations between two limits."""

from __future__ import annotations

import math

from nnext.layers.base import Activation, Layer

__all__ = ["LogSoftmax", "Sigmoid", "Softmax", "Softsign", "Tanh"]


class Tanh(Activation):
    """``y = tanh(x)``.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Tanh()).predict([[0.0, 100.0]])
    array([[0., 1.]], dtype=float32)
    """

    name = "tanh"
    output_range = (-1, 1)


class Sigmoid(Activation):
    """``y = 1 / (1 + exp(-x))``. As the last layer before ``bce`` both are computed in one stable form.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Sigmoid()).predict([[0.0, 100.0]])
    array([[0.5, 1. ]], dtype=float32)
    """

    name = "sigmoid"
    output_range = (0, 1)


class Softsign(Activation):
    """``y = x / (1 + |x|)``: like tanh, but it comes to its limits as slowly as 1 / x. Glorot and Bengio, 2010.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Softsign()).predict([[0.0, 1.0, -3.0]])
    array([[ 0.  ,  0.5 , -0.75]], dtype=float32)
    """

    name = "softsign"
    output_range = (-1, 1)


class Softmax(Layer):
    """``y = exp(x) / sum(exp(x))`` over the features of each row.

    As the last layer before ``cross_entropy`` both are computed in one stable form.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Softmax()).predict([[1.0, 1.0]])
    array([[0.5, 0.5]], dtype=float32)
    """

    name = "softmax"
    output_range = (0, 1)


class LogSoftmax(Layer):
    """``y = x - log(sum(exp(x)))`` over the features of each row, or the channels of each place: the log of `Softmax`.

    As the last layer before ``cross_entropy`` only one of both is computed: the loss takes what goes into this layer.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.LogSoftmax()).predict([[1.0, 1.0], [0.0, 100.0]]).round(4)
    array([[  -0.6931,   -0.6931],
           [-100.    ,    0.    ]], dtype=float32)
    """

    name = "log_softmax"
    output_range = (-math.inf, 0)
