"""What activations take beside x: other values than those of the table, and what is refused."""

from functools import partial
from typing import Any

import numpy as np
import pytest

import exact as exactly
import nnext as nn
from nnext import functional
from tolerance import ULP, assert_within, eps, exact, tiny


# Their last digits are not 0, but float32 has them.
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("elu", {"alpha": 0.375}),
        ("softplus", {"beta": 0.625}),
        ("softplus", {"beta": 3.0, "threshold": 1.5}),
        ("softplus", {"beta": 1.0, "threshold": -2.0}),
        ("hardtanh", {"min_val": 0.0, "max_val": 6.0}),
    ],
)
def test_other_arguments_give_what_their_formula_says(
    isa: str, dtype: str, rng: np.random.Generator, name: str, arguments: dict[str, float]
) -> None:
    """What rounding z = beta x loses, e^z makes relative: |z| / 2 ULP."""
    x = np.concatenate([rng.uniform(-120, 120, 5000), rng.normal(size=5000), [0, 1e-30, -1e-30, 1e30]]).astype(dtype)
    bound = ULP + 2 + np.minimum(np.abs(exact(x)) * arguments.get("beta", 0), 800) / 2
    for suffix, function in (("", name), ("_grad", f"{name}_derivative")):
        expected = exactly.value(partial(getattr(exactly, function), **arguments), x)
        size = np.abs(expected) if suffix == "" else np.abs(expected) + arguments.get("alpha", 0)
        computed = getattr(functional, name + suffix)(x, **arguments)
        assert_within(computed, expected, bound * eps(dtype) * size + 2 * tiny(dtype))


@pytest.mark.parametrize("number", [0, -1, np.nan, np.inf])
@pytest.mark.parametrize(
    ("layer", "argument"), [(nn.LeakyReLU, "negative_slope"), (nn.ELU, "alpha"), (nn.Softplus, "beta")]
)
def test_a_slope_must_be_positive(layer: Any, argument: str, number: float) -> None:
    gradient_too = (getattr(functional, layer.name), getattr(functional, f"{layer.name}_grad"))
    for function in (*gradient_too, lambda x, **arguments: layer(**arguments)):
        with pytest.raises(ValueError, match=rf"{argument} is .*; give a finite number in \(0, inf\]"):
            function(np.ones(3), **{argument: number})


def test_hardtanh_takes_two_limits_in_their_order() -> None:
    for function in (
        functional.hardtanh,
        functional.hardtanh_grad,
        lambda x, **limits: nn.Hardtanh(**limits),
    ):
        with pytest.raises(ValueError, match=r"max_val is 1.0; give a finite number in \(1, inf\]"):
            function(np.ones(3), min_val=1.0, max_val=1.0)
        with pytest.raises(ValueError, match="min_val is -inf; give a finite number"):
            function(np.ones(3), min_val=-np.inf)
        with pytest.raises(TypeError, match="max_val is '6'; give a number"):
            function(np.ones(3), max_val="6")


def test_gelu_takes_one_of_two_forms() -> None:
    for function in (
        functional.gelu,
        functional.gelu_grad,
        lambda x, approximate: nn.GELU(approximate),
    ):
        with pytest.raises(ValueError, match=r"unknown approximate 'erf'; use one of none, tanh"):
            function(np.ones(3), approximate="erf")
