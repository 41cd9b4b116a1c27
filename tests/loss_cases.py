"""The table of losses that the tests go through, as those of cases.py: each with outputs and targets that suit it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import nnext as nn

Array = np.ndarray
Rng = np.random.Generator


@dataclass(frozen=True)
class LossCase:
    """A loss by its name, with predictions and targets that suit it, of shape (n, k)."""

    name: str
    predictions: Callable[[Rng, int, int], Array]
    targets: Callable[[Rng, int, int], Array]
    # In torch.nn.functional, or the definition: of one output and its target, or of a row of class logits and its.
    torch: str | Callable[[Any, Any], Any]
    last_layer: nn.Layer | None = None  # that the loss is computed together with, or needs
    arguments: dict[str, Any] = field(default_factory=dict)  # that its functions take beside predictions and targets
    kink: Callable[[Array, Array], Array] | None = None  # how far outputs are from where the slope jumps
    cancels: float = 0.0  # how much larger than the loss the numbers are that it is made of, with small outputs

    def make(self) -> nn.Loss:
        return nn.Loss.names()[self.name](**self.arguments)

    @property
    def is_mean(self) -> bool:
        """Whether a row's loss is a mean over its outputs, each with a target of its own."""
        return nn.Loss.names()[self.name].takes != "class_logits"


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


def _signs(rng: Rng, n: int, k: int) -> Array:
    return 2 * rng.integers(2, size=(n, k)) - 1


def _counts(rng: Rng, n: int, k: int) -> Array:
    return rng.poisson(2, size=(n, k))


def _amounts(rng: Rng, n: int, k: int) -> Array:
    return rng.gamma(2, size=(n, k)) + 0.1


def _focal(gamma: float, alpha: float | None = None) -> Callable[[Any, Any], Any]:
    """Return torchvision.ops.sigmoid_focal_loss as its documentation has it, of tensors."""

    def loss(z: Any, t: Any) -> Any:
        p = z.sigmoid()
        entropy = z.clamp(min=0) - z * t + (-z.abs()).exp().log1p()
        balance = 1 if alpha is None else alpha * t + (1 - alpha) * (1 - t)
        return balance * entropy * (1 - (p * t + (1 - p) * (1 - t))) ** gamma

    return loss


def _pinball(q: float) -> Callable[[Any, Any], Any]:
    return lambda y, t: (q * (t - y)).maximum((q - 1) * (t - y))


def _hinge(y: Any, t: Any) -> Any:
    return (1 - (2 * t.gt(0) - 1) * y).clamp(min=0)


def _divergence(z: Any, t: Any) -> Any:
    return (t * (t.log() - z.log_softmax(1))).sum(1)


def _distance(p: Array, t: Array) -> Array:
    return np.abs(p - t)


def _margin(p: Array, t: Array) -> Array:
    return np.abs(1 - np.where(t > 0, 1, -1) * p)


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
    "mae": LossCase("mae", _normal, _normal, "l1_loss", kink=_distance),
    "log_cosh": LossCase("log_cosh", _normal, _normal, lambda y, t: (y - t).cosh().log()),
    "quantile": LossCase("quantile", _normal, _normal, _pinball(0.5), kink=_distance),
    "quantile_high": LossCase("quantile", _normal, _normal, _pinball(0.9), arguments={"q": 0.9}, kink=_distance),
    "poisson": LossCase("poisson", _normal, _counts, "poisson_nll_loss", cancels=4.0),
    "gamma": LossCase("gamma", _normal, _amounts, lambda z, t: z + t * (-z).exp(), cancels=2.0),
    "bce_weighted": LossCase(
        "bce",
        _unit,
        _zero_one,
        lambda p, t: -(3 * t * p.log() + (1 - t) * (-p).log1p()),
        nn.Sigmoid(),
        arguments={"pos_weight": 3.0},
    ),
    "bce_with_logits_weighted": LossCase(
        "bce_with_logits",
        _normal,
        _unit,
        "binary_cross_entropy_with_logits",
        arguments={"pos_weight": 0.25},
    ),
    "focal": LossCase("focal", _normal, _zero_one, _focal(2.0)),
    "focal_balanced": LossCase("focal", _normal, _zero_one, _focal(1.5, 0.25), arguments={"gamma": 1.5, "alpha": 0.25}),
    "focal_soft": LossCase("focal", _normal, _unit, _focal(0.0), arguments={"gamma": 0.0}),
    "focal_after_sigmoid": LossCase(
        "focal", _unit, _zero_one, lambda p, t: _focal(2.0)((p / (1 - p)).log(), t), nn.Sigmoid()
    ),
    "hinge": LossCase("hinge", _normal, _signs, _hinge, kink=_margin),
    "hinge_zero_one": LossCase("hinge", _normal, _zero_one, _hinge, kink=_margin),
    "cross_entropy_smoothed": LossCase(
        "cross_entropy", _normal, _labels, "cross_entropy", arguments={"label_smoothing": 0.1}
    ),
    "cross_entropy_smoothed_soft": LossCase(
        "cross_entropy", _normal, _distributions, "cross_entropy", nn.Softmax(), arguments={"label_smoothing": 0.3}
    ),
    "kl_div": LossCase("kl_div", _normal, _distributions, _divergence, cancels=2.0),
    "kl_div_after_softmax": LossCase("kl_div", _unit, _distributions, _divergence, nn.Softmax(), cancels=2.0),
    "kl_div_after_log_softmax": LossCase("kl_div", _normal, _distributions, _divergence, nn.LogSoftmax(), cancels=2.0),
}
