"""The whole library in plain NumPy, written to be read.

What the C++ core does fast is done here in the fewest clear lines: the same mathematics, the same random numbers, the
same order of samples. Tests and benchmarks compare the core with it. A good order to read:

1. `products` and `activations`: the matrix product; the activations, each beside its gradient.
2. `losses`: how wrong an output is, and which way is better.
3. `layers`: Linear, Conv2d, LSTM, Dropout, BatchNorm1d, Residual ...: forward and backward.
4. `optimizers`: SGD, Adam and their kin.
5. `network`: backpropagation through the layers, and training.
6. `random` and `initializers`: where random numbers and first weights come from.
"""

from nnext.reference import activations, initializers, layers, losses, optimizers, products, random
from nnext.reference.activations import *
from nnext.reference.layers import *
from nnext.reference.losses import *
from nnext.reference.network import Network
from nnext.reference.optimizers.adam import *  # from nnext.reference.optimizers they would be of type Any for mypy
from nnext.reference.optimizers.adaptive import *
from nnext.reference.optimizers.lbfgs import *
from nnext.reference.optimizers.sgd import *
from nnext.reference.optimizers.signs import *
from nnext.reference.products import *

__all__ = ["Network", "activations", "initializers", "layers", "losses", "optimizers", "products", "random"]
__all__ += activations.__all__
__all__ += layers.__all__
__all__ += losses.__all__
__all__ += optimizers.__all__
__all__ += products.__all__
