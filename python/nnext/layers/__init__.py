"""Layers: what a network is made of. They only describe; the network's C++ core owns the numbers."""

from nnext.layers import activations, base, dropout, flatten, linear
from nnext.layers.activations import *
from nnext.layers.base import *
from nnext.layers.dropout import *
from nnext.layers.flatten import *
from nnext.layers.linear import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += base.__all__
__all__ += dropout.__all__
__all__ += flatten.__all__
__all__ += linear.__all__
