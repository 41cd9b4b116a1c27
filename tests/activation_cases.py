"""The table of element-wise activations that the tests go through, each with a row (tests/layers checks that).

Each is a function of nnext.functional and of nnext.reference, under the same name.
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


@dataclass(frozen=True)
class ActivationCase:
    """An activation, the arguments that it takes beside x, and how far it may be from the exact value.

    The bounds are those of csrc/kernels/activations/: of the value in ULP, of the gradient in units of eps
    times dy, each at x.
    """

    layer: nn.layers.Activation
    value: Callable[[Array], Array]  # exact, of numbers in the widest type; and the derivative
    derivative: Callable[[Array], Array]
    ulp: Callable[[Array], Any]
    gradient: Callable[[Array], Any]
    slope: float  # the largest size of the derivative
    curvature: float  # and of its derivative, beside jumps
    arguments: dict[str, Any] = field(default_factory=dict)
    kinks: tuple[float, ...] = ()  # where the slope jumps, by at most 1

    @property
    def name(self) -> str:
        return self.layer.name


def _always(bound: float) -> Callable[[Array], float]:
    return lambda x: bound


ACTIVATIONS = {
    "identity": ActivationCase(nn.Identity(), lambda x: x, np.ones_like, _always(0), _always(0), 1, 0),
    "relu": ActivationCase(
        nn.ReLU(),
        lambda x: np.maximum(x, 0),
        lambda x: np.where(x > 0, EXACT(1), 0),
        _always(0),
        _always(0),
        slope=1,
        curvature=0,
        kinks=(0,),
    ),
    "leaky_relu": ActivationCase(
        nn.LeakyReLU(0.25),
        lambda x: np.where(x >= 0, x, EXACT(0.25) * x),
        lambda x: np.where(x > 0, EXACT(1), EXACT(0.25)),
        _always(1),
        _always(1),
        slope=1,
        curvature=0,
        arguments={"negative_slope": 0.25},
        kinks=(0,),
    ),
    "hardtanh": ActivationCase(
        nn.Hardtanh(-0.5, 2),
        partial(exactly.hardtanh, min_val=-0.5, max_val=2),
        partial(exactly.hardtanh_derivative, min_val=-0.5, max_val=2),
        _always(0),
        _always(0),
        slope=1,
        curvature=0,
        arguments={"min_val": -0.5, "max_val": 2},
        kinks=(-0.5, 2),
    ),
    "hardswish": ActivationCase(
        nn.Hardswish(),
        exactly.hardswish,
        exactly.hardswish_derivative,
        _always(3),
        _always(1.5),
        slope=1.5,
        curvature=1 / 3,
        kinks=(-3, 3),
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
    "softsign": ActivationCase(
        nn.Softsign(),
        exactly.softsign,
        lambda x: 1 / (1 + np.abs(x)) ** 2,
        _always(1.5),
        lambda x: 3 * reference.softsign_grad(x),
        slope=1,
        curvature=2,
    ),
    # alpha is the largest that tests use.
    "elu": ActivationCase(
        nn.ELU(1.5),
        partial(exactly.elu, alpha=1.5),
        partial(exactly.elu_derivative, alpha=1.5),
        _always(ULP),
        lambda x: 3 * 1.5 * (x <= 0),
        slope=1.5,
        curvature=1.5,
        arguments={"alpha": 1.5},
        kinks=(0,),
    ),
    "selu": ActivationCase(
        nn.SELU(),
        exactly.selu,
        exactly.selu_derivative,
        _always(ULP),
        lambda x: np.where(x <= 0, 3 * 1.76, 1.06),
        slope=1.7581,
        curvature=1.7581,
        kinks=(0,),
    ),
    # With a beta of this kind z is exact.
    "softplus": ActivationCase(
        nn.Softplus(beta=2),
        partial(exactly.softplus, beta=2),
        partial(exactly.softplus_derivative, beta=2),
        _always(ULP),
        lambda x: (ULP + 1) * reference.sigmoid(2 * np.clip(x.astype(np.float64), -1e3, 1e3)),
        slope=1,
        curvature=1 / 2,
        arguments={"beta": 2},
    ),
    "silu": ActivationCase(
        nn.SiLU(), exactly.silu, exactly.silu_derivative, _always(3.5), exactly.silu_gradient_bound, 1.1, 1 / 2
    ),
    "mish": ActivationCase(
        nn.Mish(), exactly.mish, exactly.mish_derivative, _always(4.5), exactly.mish_gradient_bound, 1.0885, 0.6443
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
