"""Activations of straight pieces, and one with a piece of a parabola."""

from __future__ import annotations

import math

from nnext import _check
from nnext._fields import number
from nnext.layers.base import Activation

__all__ = ["Hardswish", "Hardtanh", "Identity", "LeakyReLU", "ReLU"]


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


class Hardtanh(Activation):
    """``y = x`` between two limits, and the nearer limit beyond; the gradient at and beyond a limit is 0.

    ``Hardtanh(0, 6)`` is ReLU6. Collobert, 2004.

    Parameters
    ----------
    min_val, max_val : float
        The limits, the lower one first.

    Raises
    ------
    ValueError, TypeError
        Unless both are finite and ``min_val < max_val``.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Hardtanh(max_val=2)).predict([[-3.0, 0.5, 3.0]])
    array([[-1. ,  0.5,  2. ]], dtype=float32)
    """

    name = "hardtanh"

    min_val: float = number(default=-1.0)
    max_val: float = number(default=1.0)

    def check(self) -> None:
        """Refuse limits that leave nothing between them."""
        _check.number("Hardtanh", "max_val", self.max_val, above=self.min_val)

    @property
    def output_range(self) -> tuple[float, float]:
        """Return the limits."""
        return self.min_val, self.max_val


class Hardswish(Activation):
    """``y = x (x + 3) / 6`` between -3 and 3, 0 below, x above: a `SiLU` without exponential.

    The gradient is 0 at -3 and 1 at 3. Howard et al., arXiv:1905.02244 (2019).

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Hardswish()).predict([[-4.0, -1.5, 0.0, 3.0]])
    array([[ 0.   , -0.375,  0.   ,  3.   ]], dtype=float32)
    """

    name = "hardswish"
