"""Dropout: noise that keeps units from relying on each other."""

from __future__ import annotations

from nnext._fields import number
from nnext.layers.activations import Identity
from nnext.layers.base import Layer

__all__ = ["AlphaDropout", "Dropout"]


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


class AlphaDropout(Layer):
    """Dropout that keeps mean 0 and variance 1, as they are behind SELU. Klambauer et al., NeurIPS 2017.

    In training each element becomes, with probability p, what SELU gives far below 0, -1.7581; then all are scaled and
    shifted, ``y = a x + b``, or ``-1.7581 a + b`` where dropped: ``a = 1 / sqrt((1 - p) (1 + p 1.7581^2))`` and
    ``b = 1.7581 a p``. Predictions are not changed. The mask is a function of seed, step, layer and element.

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
    >>> import numpy as np
    >>> import nnext as nn
    >>> model, x = nn.Sequential(nn.AlphaDropout(0.2)), np.random.default_rng(0).normal(size=(100, 100))
    >>> y = model.forward(x, training=True)
    >>> abs(float(y.mean())) < 0.05, abs(float(y.var()) - 1) < 0.05
    (True, True)
    """

    p: float = number(default=0.5, low=0, below=1)

    def evaluating(self) -> Layer:
        """Return what drops nothing."""
        return Identity()
