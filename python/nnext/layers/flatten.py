"""Flatten: from samples of any shape to rows."""

from __future__ import annotations

from nnext.layers.base import Layer

__all__ = ["Flatten"]


class Flatten(Layer):
    """Turns samples of any shape into rows: (n, 28, 28) into (n, 784).

    As the first layer it lets a network take images.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).predict([[[1, 2], [3, 4]]]).shape
    (1, 2)
    """

    output_range = None
