"""Activations that are a ReLU with a soft knee."""

from __future__ import annotations

from nnext._fields import choice
from nnext.layers.base import Activation

__all__ = ["GELU"]


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
