"""nnext: small neural networks at the speed of the machine.

>>> import nnext as nn
>>> model = nn.MLP([784, 128, 10])
>>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=1e-3), metrics=["accuracy"])
"""

import importlib
from typing import TYPE_CHECKING, Any

from nnext import callbacks, functional, initializers, layers, losses, metrics, optimizers, runtime
from nnext._core import __version__
from nnext.callbacks import Callback, LambdaCallback, ProgressBar
from nnext.errors import DivergenceError, ModelFormatError
from nnext.gradcheck import GradcheckResult, gradcheck
from nnext.history import History
from nnext.io import load
from nnext.layers import (
    Dropout,
    Flatten,
    Identity,
    Layer,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from nnext.losses import BCE, MSE, BCEWithLogits, CrossEntropy
from nnext.model import MLP, Sequential
from nnext.optimizers import SGD, Adagrad, Adam

if TYPE_CHECKING:
    from nnext import datasets, reference

__all__ = [
    "BCE",
    "MLP",
    "MSE",
    "SGD",
    "Adagrad",
    "Adam",
    "BCEWithLogits",
    "Callback",
    "CrossEntropy",
    "DivergenceError",
    "Dropout",
    "Flatten",
    "GradcheckResult",
    "History",
    "Identity",
    "LambdaCallback",
    "Layer",
    "LeakyReLU",
    "Linear",
    "ModelFormatError",
    "ProgressBar",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
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
]


def __getattr__(name: str) -> Any:
    """Import what not every program needs on first use, so that `import nnext` stays quick."""
    if name in ("datasets", "reference"):
        return importlib.import_module(f"nnext.{name}")
    raise AttributeError(f"module 'nnext' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
