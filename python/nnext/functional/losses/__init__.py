"""Losses and their gradients."""

from nnext.functional.losses import binary, classes, likelihoods, regression
from nnext.functional.losses.binary import *
from nnext.functional.losses.classes import *
from nnext.functional.losses.likelihoods import *
from nnext.functional.losses.regression import *

__all__: list[str] = []
__all__ += binary.__all__
__all__ += classes.__all__
__all__ += likelihoods.__all__
__all__ += regression.__all__
