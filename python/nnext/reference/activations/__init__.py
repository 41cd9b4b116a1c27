"""The activations, each beside its gradient.

Every formula is written for one row or one element; NumPy repeats it. float32 arrays stay float32, everything else is
computed in float64. NaN in gives NaN out. In the names, ``x`` goes into an activation, ``y`` comes out, ``dy`` is the
gradient of the loss with respect to ``y``, and a function called ``..._grad`` gives the gradient with respect to its
first argument. `nnext.functional` has the same functions, with the same signatures, in C++.
"""

from nnext.reference.activations import bounded, piecewise, smooth
from nnext.reference.activations.bounded import *
from nnext.reference.activations.piecewise import *
from nnext.reference.activations.smooth import *

__all__: list[str] = []
__all__ += bounded.__all__
__all__ += piecewise.__all__
__all__ += smooth.__all__
