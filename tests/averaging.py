"""Networks of every way to train with averages of their parameters, and what there is to compare."""

from typing import Any

import numpy as np

import nnext as nn
from cases import OPTIMIZERS
from internals import training_state
from pins import classes, hidden

Array = np.ndarray

# "tiny" is a kernel call a step, "columns" has a first layer that a team splits by its outputs, "long" steps that can
# be interrupted.
NETWORKS: dict[str, list[nn.Layer]] = {
    "tiny": [nn.Linear(65, 5), nn.LeakyReLU(0.1), nn.Linear(5, 10)],
    "layered": [*hidden(), nn.Linear(40, 10)],
    "statistics": [nn.Linear(65, 40), nn.BatchNorm1d(40), nn.GELU(), nn.Residual(nn.Linear(40, 40)), nn.Linear(40, 10)],
    "columns": [nn.Linear(65, 384), nn.ReLU(), nn.Linear(384, 10)],
    "long": [nn.Linear(65, 700), nn.ReLU(), nn.Linear(700, 700), nn.ReLU(), nn.Linear(700, 10)],
}
X, Y = classes(230)
DECAY = 0.75  # exact in every type


def build(network: str = "layered", ema: float | None = DECAY, **settings: Any) -> nn.Sequential:
    model = nn.Sequential(*NETWORKS[network], seed=7, dtype=settings.pop("dtype", "float32"))
    model.compile(**{"loss": "cross_entropy", "optimizer": OPTIMIZERS["adam"].make(), "ema": ema, **settings})
    return model


def fit(model: nn.Sequential, **options: Any) -> Any:
    return model.fit(X, Y, **{"batch_size": 64, "verbose": 0, **options}).history


def trained(model: nn.Sequential) -> dict[str, Array]:
    """Return the parameters and buffers of the training, not the averages."""
    return {name: values for name, values in training_state(model).items() if name in model.state_dict()}


def plain(model: nn.Sequential, tensors: dict[str, Array]) -> nn.Sequential:
    """Return a model without averages that has these tensors."""
    twin = nn.Sequential(*model.layers, seed=model.seed, dtype=model.dtype)
    twin.compile(loss="cross_entropy", metrics=["accuracy"])
    twin.load_state_dict(tensors)
    return twin
