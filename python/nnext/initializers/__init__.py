"""Start values of parameters, drawn from Philox: a function of seed, layer and element, the same on every machine.

A layer takes a name (``weight_init="he_uniform"``) or an object (``weight_init=nn.initializers.uniform(-1, 1)``). The
default of ``Linear`` and ``Conv2d`` is PyTorch's: weight and bias uniform within ``1 / sqrt(fan_in)``.

``fan_in`` is the number of weights of an output, ``fan_out`` that of an input: the features of a ``Linear``; in a
convolution the channels of a group on that side, times the weights of a kernel. (PyTorch and Keras count the outputs of
all groups in ``fan_out``.) A bias has the fans of its layer.

Settings that may give infinite numbers are a ValueError: at once where they alone tell so, else when a network of that
dtype and size is built, which names the layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnext._unknown import attributes_of
from nnext.initializers import base, distributions, sizes
from nnext.initializers.base import *
from nnext.initializers.distributions import *
from nnext.initializers.sizes import *

__all__: list[str] = []
__all__ += base.__all__
__all__ += distributions.__all__
__all__ += sizes.__all__

if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
