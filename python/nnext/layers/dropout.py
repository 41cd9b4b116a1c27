"""Dropout: noise that keeps units from relying on each other."""

from __future__ import annotations

from nnext._fields import number
from nnext.layers.activations import Identity
from nnext.layers.base import Layer

__all__ = ["Dropout"]


class Dropout(Layer):
    """In training, sets each element to 0 with probability p and scales the others by ``1 / (1 - p)``.

    Srivastava et al., JMLR 15 (2014), in the inverted form. Predictions are not changed. The mask is a function of
    seed, step, layer and element, so it is the same for any number of threads.

    Parameters
    ----------
    p : float
        Probability of an element to be dropped, 0 <= p < 1.

    Raises
    ------
    ValueError, TypeError
        Unless 0 <= p < 1.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Dropout(0.5)).predict([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    """

    p: float = number(default=0.5, low=0, below=1)

    def evaluating(self) -> Layer:
        """Return what drops nothing."""
        return Identity()
