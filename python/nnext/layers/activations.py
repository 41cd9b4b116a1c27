"""Activations: layers without parameters that compute each output from one input, or from one row."""

from __future__ import annotations

import math

from nnext._fields import choice, number
from nnext.layers.base import Activation, Layer

__all__ = ["GELU", "Identity", "LeakyReLU", "LogSoftmax", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class Identity(Activation):
    """``y = x``.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Identity()).predict([[1.0, -2.0]])
    array([[ 1., -2.]], dtype=float32)
    """

    name = "identity"
    output_range = None


class ReLU(Activation):
    """``y = max(x, 0)``; its gradient at 0 is 0. Nair and Hinton, 2010.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.ReLU()).predict([[1.0, -2.0]])
    array([[1., 0.]], dtype=float32)
    """

    name = "relu"
    output_range = (0, math.inf)


class LeakyReLU(Activation):
    """``y = x`` for x >= 0, ``negative_slope * x`` below. Maas, Hannun and Ng, 2013.

    Parameters
    ----------
    negative_slope : float
        Slope below 0, greater than 0.

    Raises
    ------
    ValueError, TypeError
        Unless it is a finite number greater than 0.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.LeakyReLU(0.5)).predict([[1.0, -2.0]])
    array([[ 1., -1.]], dtype=float32)
    """

    name = "leaky_relu"

    negative_slope: float = number(default=0.01, above=0)


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


class GELU(Activation):
    """``y = x Phi(x)``, where Phi is the distribution function of the standard normal distribution.

    A ReLU with a soft knee, which is below 0 between -4 and 0. Hendrycks and Gimpel, arXiv:1606.08415 (2016).

    Parameters
    ----------
    approximate : {"none", "tanh"}
        "tanh" computes ``x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``, as GPT-2 does: at most 5e-4 away.

    Raises
    ------
    ValueError, TypeError
        For another `approximate`.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.GELU()).predict([[-1.0, 0.0, 1.0]]).round(4)
    array([[-0.1587,  0.    ,  0.8413]], dtype=float32)
    >>> nn.Sequential(nn.GELU(approximate="tanh")).predict([[-1.0, 0.0, 1.0]]).round(4)
    array([[-0.1588,  0.    ,  0.8412]], dtype=float32)
    """

    name = "gelu"

    approximate: str = choice(names=("none", "tanh"), default="none")


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
