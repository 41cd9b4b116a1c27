"""Activations that are a ReLU with a soft knee."""

from __future__ import annotations

import math

from nnext._fields import choice, number
from nnext.layers.base import Activation

__all__ = ["ELU", "GELU", "SELU", "Mish", "SiLU", "Softplus"]


class ELU(Activation):
    """``y = x`` for x > 0, ``alpha (exp(x) - 1)`` below. Clevert, Unterthiner and Hochreiter, arXiv:1511.07289 (2015).

    Parameters
    ----------
    alpha : float
        Minus the limit for small x, greater than 0. At 0 the slope is alpha.

    Raises
    ------
    ValueError, TypeError
        Unless it is a finite number greater than 0.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.ELU()).predict([[-100.0, -1.0, 2.0]]).round(4)
    array([[-1.    , -0.6321,  2.    ]], dtype=float32)
    """

    name = "elu"

    alpha: float = number(default=1.0, above=0)


class SELU(Activation):
    """``y = scale x`` for x > 0, ``scale alpha (exp(x) - 1)`` below: an ELU that keeps mean 0 and variance 1.

    It does so from layer to layer for weights of mean 0 and variance 1 / in_features, ``weight_init="lecun_normal"``,
    with scale = 1.0507 and alpha = 1.6733. Klambauer, Unterthiner, Mayr and Hochreiter, arXiv:1706.02515 (2017).

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.SELU()).predict([[-100.0, -1.0, 2.0]]).round(4)
    array([[-1.7581, -1.1113,  2.1014]], dtype=float32)
    """

    name = "selu"


class Softplus(Activation):
    """``y = log(1 + exp(beta x)) / beta``, a smooth ReLU whose gradient is sigmoid(beta x). Dugas et al., 2000.

    Parameters
    ----------
    beta : float
        How sharp the knee is, greater than 0.
    threshold : float
        Where ``beta x`` is above it, y is x and the gradient 1: the formula is so near by then.

    Raises
    ------
    ValueError, TypeError
        Unless both are finite numbers and beta is greater than 0.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Softplus()).predict([[-100.0, 0.0, 30.0]]).round(4)
    array([[ 0.    ,  0.6931, 30.    ]], dtype=float32)
    """

    name = "softplus"
    output_range = (0, math.inf)

    beta: float = number(default=1.0, above=0)
    threshold: float = number(default=20.0)


class SiLU(Activation):
    """``y = x sigmoid(x)``, also called Swish. Elfwing, Uchibe and Doya, arXiv:1702.03118 (2017).

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.SiLU()).predict([[-1.0, 0.0, 1.0]]).round(4)
    array([[-0.2689,  0.    ,  0.7311]], dtype=float32)
    """

    name = "silu"


class Mish(Activation):
    """``y = x tanh(log(1 + exp(x)))``. Misra, arXiv:1908.08681 (2019).

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Mish()).predict([[-1.0, 0.0, 1.0]]).round(4)
    array([[-0.3034,  0.    ,  0.8651]], dtype=float32)
    """

    name = "mish"


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
