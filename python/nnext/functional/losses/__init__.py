"""Losses and their gradients."""

from nnext.functional.losses import classification, regression
from nnext.functional.losses.classification import *
from nnext.functional.losses.regression import *

__all__: list[str] = []
__all__ += classification.__all__
__all__ += regression.__all__
