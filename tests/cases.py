"""The tables that the tests go through: what is registered in nnext has a row here (tests/layers checks that).

Those of activations, layers, losses and schedules are in files of their own: layer_cases.py and so on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

import nnext as nn
from nnext import reference

Array = np.ndarray

# ---- Optimizers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OptimizerCase:
    """The same update rule in nnext, in the reference and, by name, in torch.optim."""

    type: type[nn.optimizers.Optimizer]
    settings: dict[str, Any]

    def make(self) -> nn.optimizers.Optimizer:
        return self.type(**self.settings)

    def make_reference(self) -> Any:
        return getattr(reference, self.type.__name__)(**self.settings)

    def make_torch(self, parameters: Any) -> Any:
        import torch

        from torch_lion import Lion

        theirs = Lion if self.type is nn.Lion else getattr(torch.optim, self.type.__name__)
        return theirs(parameters, **self.settings)

    @property
    def changes_rate(self) -> bool:
        """Whether its lr can change: that of Rprop is where its steps start."""
        return "lr" in self.make().changing()


OPTIMIZERS = {
    "sgd": OptimizerCase(nn.SGD, {"lr": 0.1}),
    "sgd_momentum": OptimizerCase(nn.SGD, {"lr": 0.05, "momentum": 0.9}),
    "sgd_nesterov": OptimizerCase(nn.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "sgd_weight_decay": OptimizerCase(nn.SGD, {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.01}),
    "adam": OptimizerCase(nn.Adam, {"lr": 0.01}),
    "adam_weight_decay": OptimizerCase(nn.Adam, {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1}),
    "nadam": OptimizerCase(nn.NAdam, {"lr": 0.01}),
    "nadam_weight_decay": OptimizerCase(
        nn.NAdam, {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1, "momentum_decay": 0.1}
    ),
    "sgd_dampening": OptimizerCase(nn.SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.4}),
    "adam_amsgrad": OptimizerCase(nn.Adam, {"lr": 0.01, "betas": (0.7, 0.8), "amsgrad": True}),
    "adamw": OptimizerCase(nn.AdamW, {"lr": 0.01, "weight_decay": 0.3}),
    "adamw_amsgrad": OptimizerCase(nn.AdamW, {"lr": 0.01, "betas": (0.7, 0.8), "amsgrad": True}),
    "nadam_decoupled": OptimizerCase(nn.NAdam, {"lr": 0.01, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    "radam": OptimizerCase(nn.RAdam, {"lr": 0.01, "betas": (0.9, 0.99), "weight_decay": 0.1}),
    "radam_decoupled": OptimizerCase(nn.RAdam, {"lr": 0.01, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    "rmsprop": OptimizerCase(nn.RMSprop, {"lr": 0.005, "alpha": 0.9, "weight_decay": 0.01}),
    "rmsprop_momentum": OptimizerCase(nn.RMSprop, {"lr": 0.002, "momentum": 0.8}),
    "rmsprop_centered": OptimizerCase(nn.RMSprop, {"lr": 0.005, "alpha": 0.95, "eps": 0.1, "centered": True}),
    "rmsprop_centered_momentum": OptimizerCase(
        nn.RMSprop, {"lr": 0.002, "eps": 0.1, "centered": True, "momentum": 0.5}
    ),
    "lion": OptimizerCase(nn.Lion, {"lr": 0.002}),
    "lion_weight_decay": OptimizerCase(nn.Lion, {"lr": 0.002, "betas": (0.8, 0.9), "weight_decay": 0.1}),
    "rprop": OptimizerCase(nn.Rprop, {"lr": 0.001, "step_sizes": (1e-5, 0.01)}),
    "adadelta": OptimizerCase(nn.Adadelta, {"lr": 1.0}),
    "adadelta_weight_decay": OptimizerCase(nn.Adadelta, {"lr": 5.0, "rho": 0.8, "eps": 1e-5, "weight_decay": 0.01}),
    "adagrad": OptimizerCase(nn.Adagrad, {"lr": 0.05}),
    "adagrad_weight_decay": OptimizerCase(nn.Adagrad, {"lr": 0.05, "eps": 1e-6, "weight_decay": 0.01}),
}
WITH_RATES = [name for name, case in OPTIMIZERS.items() if case.changes_rate]
# Steps that look at the loss in several places, of which there are none of one's own: test_lbfgs.py.
MINIMIZERS = {"lbfgs": OptimizerCase(nn.LBFGS, {"max_iter": 3, "history_size": 4})}
EVERY_OPTIMIZER = OPTIMIZERS | MINIMIZERS
