"""The tables that the tests go through: what is registered in nnext has a row here (tests/layers checks that)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import nnext as nn
from nnext import reference

Array = np.ndarray
Rng = np.random.Generator

# ---- Layers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LayerCase:
    """A layer that takes `in_features` and gives `out_features`."""

    layer: nn.Layer
    in_features: int = 5
    out_features: int = 5
    parameters: dict[str, tuple[int, ...]] = field(default_factory=dict)


LAYERS = {
    "linear": LayerCase(nn.Linear(5, 3), out_features=3, parameters={"weight": (3, 5), "bias": (3,)}),
    "linear_without_bias": LayerCase(nn.Linear(5, 3, bias=False), out_features=3, parameters={"weight": (3, 5)}),
    "identity": LayerCase(nn.Identity()),
    "relu": LayerCase(nn.ReLU()),
    "leaky_relu": LayerCase(nn.LeakyReLU(0.2)),
    "tanh": LayerCase(nn.Tanh()),
    "sigmoid": LayerCase(nn.Sigmoid()),
    "softmax": LayerCase(nn.Softmax()),
    "dropout": LayerCase(nn.Dropout(0.3)),
    "flatten": LayerCase(nn.Flatten()),
}

# ---- Activations: element-wise, in nnext.functional and nnext.reference under the same name --------------------------


@dataclass(frozen=True)
class ActivationCase:
    """How far from the exact value an activation may be, in ULP, and the arguments it takes beside x."""

    layer: nn.Layer
    ulp: float
    arguments: dict[str, float] = field(default_factory=dict)


ACTIVATIONS = {
    "identity": ActivationCase(nn.Identity(), 0),
    "relu": ActivationCase(nn.ReLU(), 0),
    "leaky_relu": ActivationCase(nn.LeakyReLU(0.25), 0.5, {"negative_slope": 0.25}),
    "tanh": ActivationCase(nn.Tanh(), 2.5),
    "sigmoid": ActivationCase(nn.Sigmoid(), 2.5),
}

# ---- Losses ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LossCase:
    """A loss by its name, with predictions and targets that suit it, of shape (n, k)."""

    name: str
    predictions: Callable[[Rng, int, int], Array]
    targets: Callable[[Rng, int, int], Array]
    last_layer: nn.Layer | None = None  # that the loss is computed together with, or needs


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
    "mse": LossCase("mse", _normal, _normal),
    "bce": LossCase("bce", _unit, _zero_one),
    "bce_soft": LossCase("bce", _unit, _unit),
    "bce_after_sigmoid": LossCase("bce", _unit, _zero_one, nn.Sigmoid()),
    "bce_with_logits": LossCase("bce_with_logits", _normal, _zero_one),
    "cross_entropy": LossCase("cross_entropy", _normal, _labels),
    "cross_entropy_one_hot": LossCase("cross_entropy", _normal, _one_hot),
    "cross_entropy_soft": LossCase("cross_entropy", _normal, _distributions),
    "cross_entropy_after_softmax": LossCase("cross_entropy", _unit, _labels, nn.Softmax()),
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
    "adagrad": OptimizerCase(nn.Adagrad, {"lr": 0.05}),
    "adagrad_weight_decay": OptimizerCase(nn.Adagrad, {"lr": 0.05, "eps": 1e-6, "weight_decay": 0.01}),
}

# ---- Memory layouts: each function gives an array equal to its argument ----------------------------------------------


def reversed_axes(x: Array) -> Array:
    """Negative strides."""
    back = (slice(None, None, -1),) * x.ndim
    return np.ascontiguousarray(x[back])[back]


def stepped(x: Array) -> Array:
    """Every third element of every axis of something larger."""
    larger = np.full([3 * n for n in x.shape], 77, x.dtype)
    view = larger[(slice(None, None, 3),) * x.ndim]
    view[...] = x
    return view


def unaligned(x: Array) -> Array:
    """Start at an odd address."""
    view: Array = np.ndarray(x.shape, x.dtype, buffer=np.zeros(x.nbytes + 1, np.uint8), offset=1)
    view[...] = x
    return view


def read_only(x: Array) -> Array:
    copy = x.copy()
    copy.flags.writeable = False
    return copy


def swapped_bytes(x: Array) -> Array:
    """Big-endian on a little-endian machine."""
    return x.astype(x.dtype.newbyteorder("S"))


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "contiguous": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "reversed": reversed_axes,
    "stepped": stepped,
    "unaligned": unaligned,
    "read_only": read_only,
    "swapped_bytes": swapped_bytes,
}
