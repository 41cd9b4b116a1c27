"""Activations and their gradients."""

from nnext.functional.activations import bounded, piecewise, smooth
from nnext.functional.activations.bounded import *
from nnext.functional.activations.piecewise import *
from nnext.functional.activations.smooth import *

__all__: list[str] = []
__all__ += bounded.__all__
__all__ += piecewise.__all__
__all__ += smooth.__all__
