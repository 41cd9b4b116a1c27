"""nnext: small neural networks at the speed of the machine.

>>> import nnext as nn
>>> model = nn.MLP([784, 128, 10])
>>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=1e-3), metrics=["accuracy"])
"""

import importlib
from typing import TYPE_CHECKING, Any

from nnext import callbacks, functional, initializers, layers, losses, metrics, optimizers, runtime, schedules
from nnext._core import __version__
from nnext._unknown import attributes_of
from nnext.callbacks import Callback, EarlyStopping, LambdaCallback, ProgressBar
from nnext.errors import DivergenceError, ModelFormatError
from nnext.history import History
from nnext.layers.activations import *  # from nnext.layers, and so on, they would be of type Any for mypy
from nnext.layers.base import *
from nnext.layers.batch_norm import *
from nnext.layers.branches import *
from nnext.layers.convolution import *
from nnext.layers.dropout import *
from nnext.layers.flatten import *
from nnext.layers.layer_norm import *
from nnext.layers.linear import *
from nnext.layers.pooling import *
from nnext.layers.residual import *
from nnext.losses import *
from nnext.model import MLP, Sequential
from nnext.optimizers.adam import *
from nnext.optimizers.adaptive import *
from nnext.optimizers.base import *
from nnext.optimizers.sgd import *
from nnext.optimizers.signs import *
from nnext.schedules import *

if TYPE_CHECKING:
    from nnext import datasets, reference
    from nnext._gradcheck import GradcheckResult, gradcheck
    from nnext.io import load

# Not every program needs these: imported on first use, so that `import nnext` stays quick.
_LAZY = {"load": "nnext.io", "gradcheck": "nnext._gradcheck", "GradcheckResult": "nnext._gradcheck"}
_LAZY_MODULES = ("datasets", "reference")

__all__ = [
    "MLP",
    "Callback",
    "DivergenceError",
    "EarlyStopping",
    "GradcheckResult",
    "History",
    "LambdaCallback",
    "ModelFormatError",
    "ProgressBar",
    "Sequential",
    "__version__",
    "callbacks",
    "datasets",
    "functional",
    "gradcheck",
    "initializers",
    "layers",
    "load",
    "losses",
    "metrics",
    "optimizers",
    "reference",
    "runtime",
    "schedules",
]
__all__ += layers.__all__
__all__ += losses.__all__
__all__ += optimizers.__all__
__all__ += schedules.__all__


if not TYPE_CHECKING:
    _unknown_attribute = attributes_of(__name__)

    def __getattr__(name: str) -> Any:
        if name in _LAZY_MODULES:
            return importlib.import_module(f"nnext.{name}")
        if name not in _LAZY:
            _unknown_attribute(name)
        value = globals()[name] = getattr(importlib.import_module(_LAZY[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
