"""Functions on arrays: matrix product, activations and losses with their gradients. They keep no state.

float32 and float16 are computed and returned in float32, everything else in float64. NaN in gives NaN out. The same
names with the same arguments, in plain NumPy, are in `nnext.reference`.

An activation's ``f_grad(x, dy=1.0)`` is the gradient with respect to x for an upstream gradient dy; a loss's
``f_grad(y_pred, y)`` is the gradient with respect to y_pred.
"""

from typing import TYPE_CHECKING

from nnext._unknown import attributes_of
from nnext.functional import activations, losses, products
from nnext.functional.activations.bounded import *
from nnext.functional.activations.piecewise import *
from nnext.functional.activations.smooth import *
from nnext.functional.losses import *
from nnext.functional.products import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += losses.__all__
__all__ += products.__all__

if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__, "loss=")
