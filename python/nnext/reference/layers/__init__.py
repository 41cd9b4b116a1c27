"""Layers: each goes forward, ``y = f(x)``, and backward, from the loss's gradient in y to the one in x.

`forward` also returns what its `backward` will need. The chain rule is all there is to it: the gradient that a layer
hands back is the ``dy`` of the layer before it. Rows are samples throughout.
"""

from nnext.reference.layers import (
    activation,
    attention_pooling,
    batch_norm,
    branches,
    chain,
    convolution,
    dropout,
    embedding,
    gaussian_noise,
    layer_norm,
    linear,
    pooling,
    prelu,
    recurrent,
    reshape,
    residual,
)
from nnext.reference.layers.activation import *
from nnext.reference.layers.attention_pooling import *
from nnext.reference.layers.base import Draw as Draw
from nnext.reference.layers.base import Layer as Layer
from nnext.reference.layers.base import from_config as from_config
from nnext.reference.layers.base import inner_numbers as inner_numbers
from nnext.reference.layers.batch_norm import *
from nnext.reference.layers.branches import *
from nnext.reference.layers.chain import *
from nnext.reference.layers.convolution import *
from nnext.reference.layers.dropout import *
from nnext.reference.layers.embedding import *
from nnext.reference.layers.gaussian_noise import *
from nnext.reference.layers.layer_norm import *
from nnext.reference.layers.linear import *
from nnext.reference.layers.pooling import *
from nnext.reference.layers.prelu import *
from nnext.reference.layers.recurrent import *
from nnext.reference.layers.reshape import *
from nnext.reference.layers.residual import *

__all__: list[str] = []
__all__ += activation.__all__
__all__ += attention_pooling.__all__
__all__ += batch_norm.__all__
__all__ += branches.__all__
__all__ += chain.__all__
__all__ += convolution.__all__
__all__ += dropout.__all__
__all__ += embedding.__all__
__all__ += gaussian_noise.__all__
__all__ += layer_norm.__all__
__all__ += linear.__all__
__all__ += pooling.__all__
__all__ += prelu.__all__
__all__ += recurrent.__all__
__all__ += reshape.__all__
__all__ += residual.__all__
