"""Update rules: how a gradient changes the weights. All follow PyTorch's definitions, where it has one.

An optimizer works on dicts of arrays, parameter name -> array, and changes the arrays in place. What it remembers of
earlier steps (velocity, moments) it keeps under the same names.
"""

from nnext.reference.optimizers import adam, adaptive, base, sgd, signs
from nnext.reference.optimizers.adam import *
from nnext.reference.optimizers.adaptive import *
from nnext.reference.optimizers.sgd import *
from nnext.reference.optimizers.signs import *

Optimizer = base.Optimizer

__all__: list[str] = []
__all__ += adam.__all__
__all__ += adaptive.__all__
__all__ += sgd.__all__
__all__ += signs.__all__
