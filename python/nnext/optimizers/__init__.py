"""Update rules. These objects hold the settings; the running sums are the model's own.

All follow PyTorch's definitions, where it has one.
"""

from typing import TYPE_CHECKING

from nnext._unknown import attributes_of
from nnext.optimizers import adam, adaptive, base, sgd, signs
from nnext.optimizers.adam import *
from nnext.optimizers.adaptive import *
from nnext.optimizers.base import *
from nnext.optimizers.sgd import *
from nnext.optimizers.signs import *

__all__: list[str] = []
__all__ += adam.__all__
__all__ += adaptive.__all__
__all__ += base.__all__
__all__ += sgd.__all__
__all__ += signs.__all__

if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
