"""Activations of straight pieces."""

from __future__ import annotations

import math

from nnext._fields import number
from nnext.layers.base import Activation

__all__ = ["Identity", "LeakyReLU", "ReLU"]


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
