"""Layers: what a network is made of. They only describe; the network's C++ core owns the numbers."""

from typing import TYPE_CHECKING

from nnext._unknown import attributes_of
from nnext.layers import (
    activations,
    attention_pooling,
    base,
    batch_norm,
    branches,
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
from nnext.layers.activations.bounded import *
from nnext.layers.activations.piecewise import *
from nnext.layers.activations.smooth import *
from nnext.layers.attention_pooling import *
from nnext.layers.base import *
from nnext.layers.batch_norm import *
from nnext.layers.branches import *
from nnext.layers.convolution import *
from nnext.layers.dropout import *
from nnext.layers.embedding import *
from nnext.layers.gaussian_noise import *
from nnext.layers.layer_norm import *
from nnext.layers.linear import *
from nnext.layers.pooling import *
from nnext.layers.prelu import *
from nnext.layers.recurrent import *
from nnext.layers.reshape import *
from nnext.layers.residual import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += attention_pooling.__all__
__all__ += base.__all__
__all__ += batch_norm.__all__
__all__ += branches.__all__
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

if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
