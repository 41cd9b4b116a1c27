"""nnext: small neural networks at the speed of the machine.

>>> import nnext as nn
>>> model = nn.MLP([784, 128, 10])
>>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=1e-3), metrics=["accuracy"])
"""

import importlib
from typing import TYPE_CHECKING, Any

from nnext import callbacks, functional, initializers, layers, losses, metrics, optimizers, runtime, schedules
from nnext._core import __version__
from nnext._sequences import padded
from nnext._unknown import attributes_of
from nnext.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgressBar,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
    TimeLimit,
)
from nnext.errors import DivergenceError, ModelFormatError
from nnext.history import History
from nnext.io import load
from nnext.layers.activations.bounded import *  # mypy sees no names through two `import *`
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
from nnext.losses import *
from nnext.model import MLP, Sequential
from nnext.optimizers.adam import *
from nnext.optimizers.adaptive import *
from nnext.optimizers.base import *
from nnext.optimizers.lbfgs import *
from nnext.optimizers.sgd import *
from nnext.optimizers.signs import *
from nnext.schedules import *

if TYPE_CHECKING:
    from nnext import datasets, plot, reference
    from nnext._gradcheck import GradcheckResult, gradcheck
    from nnext._lr_curve import LRFindResult
    from nnext._lr_find import lr_find

# Not every program needs these: imported on first use, so that `import nnext` stays quick.
_LAZY = {
    "GradcheckResult": "nnext._gradcheck",
    "LRFindResult": "nnext._lr_curve",
    "gradcheck": "nnext._gradcheck",
    "lr_find": "nnext._lr_find",
}
_LAZY_MODULES = ("datasets", "plot", "reference")

__all__ = [
    "MLP",
    "CSVLogger",
    "Callback",
    "DivergenceError",
    "EarlyStopping",
    "GradcheckResult",
    "History",
    "LRFindResult",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ModelFormatError",
    "ProgressBar",
    "ReduceLROnPlateau",
    "Sequential",
    "TensorBoard",
    "TerminateOnNaN",
    "TimeLimit",
    "__version__",
    "callbacks",
    "datasets",
    "functional",
    "gradcheck",
    "initializers",
    "layers",
    "load",
    "losses",
    "lr_find",
    "metrics",
    "optimizers",
    "padded",
    "plot",
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
