"""The whole library in plain NumPy, written to be read.

What the C++ core does fast is done here in the fewest clear lines: the same mathematics, the same random numbers, the
same order of samples. Tests and benchmarks compare the core with it. A good order to read:

1. `functions`: the matrix product and the activations, each beside its gradient.
2. `losses`: how wrong an output is, and which way is better.
3. `layers`: Linear, Dropout, Flatten: forward and backward.
4. `optimizers`: SGD, Adam, Adagrad.
5. `network`: backpropagation through the layers, and training.
6. `random` and `initializers`: where random numbers and first weights come from.
"""

from nnext.reference import functions, initializers, layers, losses, optimizers, random
from nnext.reference.functions import (
    identity,
    identity_grad,
    leaky_relu,
    leaky_relu_grad,
    matmul,
    relu,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    softmax,
    softmax_grad,
    tanh,
    tanh_grad,
)
from nnext.reference.layers import Activation, Dropout, Flatten, Linear
from nnext.reference.losses import (
    bce,
    bce_grad,
    bce_with_logits,
    bce_with_logits_grad,
    cross_entropy,
    cross_entropy_grad,
    mse,
    mse_grad,
)
from nnext.reference.network import Network
from nnext.reference.optimizers import SGD, Adagrad, Adam

__all__ = [
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "Dropout",
    "Flatten",
    "Linear",
    "Network",
    "bce",
    "bce_grad",
    "bce_with_logits",
    "bce_with_logits_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "functions",
    "identity",
    "identity_grad",
    "initializers",
    "layers",
    "leaky_relu",
    "leaky_relu_grad",
    "losses",
    "matmul",
    "mse",
    "mse_grad",
    "optimizers",
    "random",
    "relu",
    "relu_grad",
    "sigmoid",
    "sigmoid_grad",
    "softmax",
    "softmax_grad",
    "tanh",
    "tanh_grad",
]
