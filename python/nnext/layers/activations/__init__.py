"""Activations: layers without parameters that compute each output from one input, or from one row."""

from nnext.layers.activations import bounded, piecewise, smooth
from nnext.layers.activations.bounded import *
from nnext.layers.activations.piecewise import *
from nnext.layers.activations.smooth import *

__all__: list[str] = []
__all__ += bounded.__all__
__all__ += piecewise.__all__
__all__ += smooth.__all__
