"""The tables that the tests go through: what is registered in nnext has a row here (tests/layers checks that).

Those of layers are in layer_cases.py, those of schedules in schedule_cases.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import exact as exactly
import nnext as nn
from nnext import reference
from tolerance import EXACT, ULP

Array = np.ndarray
Rng = np.random.Generator

# ---- Activations: element-wise, in nnext.functional and nnext.reference under the same name --------------------------


@dataclass(frozen=True)
class ActivationCase:
    """An activation, the arguments that it takes beside x, and how far it may be from the exact value.

    The bounds are those of csrc/kernels/elementwise.kernel.cpp: of the value in ULP, of the gradient in units of eps
    times dy, each at x.
    """

    layer: nn.layers.Activation
    value: Callable[[Array], Array]  # exact, of numbers in the widest type; and the derivative
    derivative: Callable[[Array], Array]
    ulp: Callable[[Array], Any]
    gradient: Callable[[Array], Any]
    slope: float  # the largest size of the derivative
    curvature: float | None  # and of its derivative; None where the slope jumps
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.layer.name


def _always(bound: float) -> Callable[[Array], float]:
    return lambda x: bound


ACTIVATIONS = {
    "identity": ActivationCase(nn.Identity(), lambda x: x, np.ones_like, _always(0), _always(0), 1, 0),
    "relu": ActivationCase(
        nn.ReLU(), lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, EXACT(1), 0), _always(0), _always(0), 1, None
    ),
    "leaky_relu": ActivationCase(
        nn.LeakyReLU(0.25),
        lambda x: np.where(x >= 0, x, EXACT(0.25) * x),
        lambda x: np.where(x > 0, EXACT(1), EXACT(0.25)),
        _always(1),
        _always(1),
        slope=1,
        curvature=None,
        arguments={"negative_slope": 0.25},
    ),
    # The gradient is told from y: (1 - y)(1 + y) and y (1 - y) are then off by at most 2 ULP, and rounded twice.
    "tanh": ActivationCase(
        nn.Tanh(), np.tanh, lambda x: 1 / np.cosh(x) ** 2, _always(ULP), _always(2 * ULP + 2), 1, 4 / 27**0.5
    ),
    "sigmoid": ActivationCase(
        nn.Sigmoid(),
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: 1 / (1 + np.exp(-x)) / (1 + np.exp(x)),
        _always(ULP),
        _always(2 * ULP + 2),
        slope=1 / 4,
        curvature=1 / 108**0.5,
    ),
    "gelu": ActivationCase(
        nn.GELU(),
        exactly.gelu,
        exactly.gelu_derivative,
        _always(6.5),
        exactly.gelu_gradient_bound,
        1.129,
        (2 / np.pi) ** 0.5,
    ),
    "gelu_tanh": ActivationCase(
        nn.GELU(approximate="tanh"),
        partial(exactly.gelu, approximate=True),
        partial(exactly.gelu_derivative, approximate=True),
        exactly.gelu_tanh_ulp,
        exactly.gelu_tanh_gradient_bound,
        slope=1.13,
        curvature=0.8,
        arguments={"approximate": "tanh"},
    ),
}


def activation_case(name: str, arguments: dict[str, Any]) -> ActivationCase:
    """Return the row of an activation; another slope than the row's is bounded by it as well."""
    rows = [case for case in ACTIVATIONS.values() if case.name == name]
    return next((case for case in rows if case.layer == type(case.layer)(**arguments)), rows[0])


# ---- Losses ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LossCase:
    """A loss by its name, with predictions and targets that suit it, of shape (n, k)."""

    name: str
    predictions: Callable[[Rng, int, int], Array]
    targets: Callable[[Rng, int, int], Array]
    torch: str | Callable[[Any, Any], Any]  # in torch.nn.functional, or the definition: of one output and its target
    last_layer: nn.Layer | None = None  # that the loss is computed together with, or needs
    arguments: dict[str, Any] = field(default_factory=dict)  # that its functions take beside predictions and targets

    def make(self) -> nn.Loss:
        return nn.Loss.names()[self.name](**self.arguments)


def _normal(rng: Rng, n: int, k: int) -> Array:
    return 3 * rng.normal(size=(n, k))


def _unit(rng: Rng, n: int, k: int) -> Array:
    return rng.uniform(0.05, 0.95, size=(n, k))


def _labels(rng: Rng, n: int, k: int) -> Array:
    return rng.integers(k, size=n)


def _one_hot(rng: Rng, n: int, k: int) -> Array:
    return np.eye(k)[rng.integers(k, size=n)]


def _distributions(rng: Rng, n: int, k: int) -> Array:
    rows = rng.uniform(0.1, 1, size=(n, k))
    return rows / rows.sum(axis=1, keepdims=True)


def _zero_one(rng: Rng, n: int, k: int) -> Array:
    return rng.integers(2, size=(n, k))


LOSSES = {
    "mse": LossCase("mse", _normal, _normal, "mse_loss"),
    "huber": LossCase("huber", _normal, _normal, "huber_loss"),
    "huber_narrow": LossCase("huber", _normal, _normal, "huber_loss", arguments={"delta": 0.5}),
    "huber_wide": LossCase("huber", _normal, _normal, "huber_loss", arguments={"delta": 2.0}),
    "bce": LossCase("bce", _unit, _zero_one, "binary_cross_entropy"),
    "bce_soft": LossCase("bce", _unit, _unit, "binary_cross_entropy"),
    "bce_after_sigmoid": LossCase("bce", _unit, _zero_one, "binary_cross_entropy", nn.Sigmoid()),
    "bce_with_logits": LossCase("bce_with_logits", _normal, _zero_one, "binary_cross_entropy_with_logits"),
    "cross_entropy": LossCase("cross_entropy", _normal, _labels, "cross_entropy"),
    "cross_entropy_one_hot": LossCase("cross_entropy", _normal, _one_hot, "cross_entropy"),
    "cross_entropy_soft": LossCase("cross_entropy", _normal, _distributions, "cross_entropy"),
    "cross_entropy_after_softmax": LossCase("cross_entropy", _unit, _labels, "cross_entropy", nn.Softmax()),
    "cross_entropy_after_log_softmax": LossCase("cross_entropy", _normal, _labels, "cross_entropy", nn.LogSoftmax()),
}

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

        return getattr(torch.optim, self.type.__name__)(parameters, **self.settings)


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
    "adagrad": OptimizerCase(nn.Adagrad, {"lr": 0.05}),
    "adagrad_weight_decay": OptimizerCase(nn.Adagrad, {"lr": 0.05, "eps": 1e-6, "weight_decay": 0.01}),
}
