"""Losses by name and as objects. Their formulas and gradients as functions are in `nnext.functional`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnext._unknown import attributes_of
from nnext.losses import binary, classes, likelihoods, regression
from nnext.losses.base import CustomLoss as CustomLoss
from nnext.losses.base import Loss
from nnext.losses.binary import *
from nnext.losses.classes import *
from nnext.losses.likelihoods import *
from nnext.losses.regression import *

__all__ = ["Loss"]
__all__ += binary.__all__
__all__ += classes.__all__
__all__ += likelihoods.__all__
__all__ += regression.__all__


def get(loss: Any) -> Loss | CustomLoss:
    """Look a loss up by name; a loss object or a function ``f(y_pred, y) -> (loss, grad)`` is given back.

    Parameters
    ----------
    loss : str, Loss, class of losses, or callable

    Raises
    ------
    TypeError, ValueError
        For anything else, such as another class, or an unknown name.

    Examples
    --------
    >>> get("mse")
    MSE()
    """
    if callable(loss) and not isinstance(loss, type):
        function: CustomLoss = loss
        return function
    return Loss.find("compile", "loss", loss)


if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
