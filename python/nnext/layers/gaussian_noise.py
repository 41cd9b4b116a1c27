"""Gaussian noise: samples that are never the same twice."""

from __future__ import annotations

from nnext._fields import number
from nnext.layers.activations import Identity
from nnext.layers.base import Layer

__all__ = ["GaussianNoise"]


class GaussianNoise(Layer):
    """In training, adds numbers of a normal distribution: ``y = x + stddev * z``. Predictions are not changed.

    As the first layer it makes a network find what noise does not hide (C. M. Bishop, Neural Computation 7, 1995). The
    noise z, of mean 0 and variance 1, is a function of seed, step, layer and element (Box and Muller, 1958), so it is
    the same for any number of threads. Keras' layer of that name.

    Parameters
    ----------
    stddev : float
        Standard deviation of the noise, at least 0.

    Raises
    ------
    ValueError, TypeError
        Unless it is a finite number of at least 0.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.GaussianNoise(0.5))
    >>> model.predict([[1.0, 2.0]])
    array([[1., 2.]], dtype=float32)
    >>> model.forward([[1.0, 2.0]], training=True).round(2)
    array([[1.22, 2.6 ]], dtype=float32)
    """

    stddev: float = number(low=0)
    output_range = None

    def evaluating(self) -> Layer:
        """Return what adds nothing."""
        return Identity()
