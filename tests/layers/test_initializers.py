"""First weights: those of the reference, with the moments and limits that their names promise."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from nnext import initializers, reference
from support import assert_same_bits
from tolerance import assert_within, eps

FANS = {"out_features": 200, "in_features": 300}
# name: what nnext is given, the reference's function with its arguments, mean and variance, limit
INITIALIZERS: dict[str, tuple[Any, dict[str, float], float, float | None]] = {
    "zeros": ("zeros", {}, 0.0, 0.0),
    "uniform": (initializers.uniform(-0.2, 0.5), {"low": -0.2, "high": 0.5}, 0.7**2 / 12, 0.5),
    "normal": (initializers.normal(0.3, 0.1), {"mean": 0.3, "std": 0.1}, 0.1**2, None),
    "he_uniform": ("he_uniform", {}, 2 / 300, np.sqrt(6 / 300)),
    "he_normal": ("he_normal", {}, 2 / 300, None),
    "glorot_uniform": ("glorot_uniform", {}, 2 / 500, np.sqrt(6 / 500)),
    "glorot_normal": ("glorot_normal", {}, 2 / 500, None),
    "lecun_normal": ("lecun_normal", {}, 1 / 300, None),
    "fan_in_uniform": ("fan_in_uniform", {}, 1 / 900, np.sqrt(1 / 300)),
    "orthogonal": (initializers.orthogonal(2.0), {"gain": 2.0}, 4 / 300, None),
}


def test_all_initializers_are_in_the_table() -> None:
    assert set(INITIALIZERS) == internals.initializer_names()


@pytest.mark.parametrize("name", INITIALIZERS)
def test_first_weights_are_the_references_and_have_their_moments(name: str, dtype: str) -> None:
    given, arguments, variance, limit = INITIALIZERS[name]
    first = nn.Linear(300, 300)
    model = nn.Sequential(first, nn.Linear(300, 200, weight_init=given, bias_init="zeros"), seed=2**63 + 9, dtype=dtype)
    weight = model.state_dict()["1.weight"]
    expected = getattr(reference.initializers, name)((200, 300), **arguments, seed=2**63 + 9, layer=1)
    # One rounding to dtype; log, cos, sqrt and 300 terms of Gram and Schmidt's sums in float64.
    assert_within(weight, expected, np.abs(expected) * eps(dtype) + 1000 * eps("float64"))
    # The variance of n draws spreads by at most 1.5 var / sqrt(n / 2), their mean by sd / sqrt(n): 5 of those.
    n = weight.size
    assert abs(weight.var() - variance) <= 5 * 1.5 * variance * np.sqrt(2 / n)
    assert abs(weight.mean() - {"uniform": 0.15, "normal": 0.3}.get(name, 0)) <= 5 * np.sqrt(variance / n)
    assert limit is None or np.abs(weight).max() <= limit
    assert not model.state_dict()["1.bias"].any()


@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (7, 7)])
def test_orthogonal_rows_or_columns(shape: tuple[int, int]) -> None:
    out_features, in_features = shape
    layer = nn.Linear(in_features, out_features, weight_init=initializers.orthogonal(3.0))
    w = nn.Sequential(layer, dtype="float64").state_dict()["0.weight"]
    products = w @ w.T if out_features <= in_features else w.T @ w
    assert_within(products, 9 * np.eye(min(shape)), 9 * 32 * eps("float64"))


def test_the_default_is_pytorchs_for_weight_and_bias(dtype: str) -> None:
    model = nn.Sequential(nn.ReLU(), nn.Linear(100, 50), seed=8, dtype=dtype)
    weight, bias = reference.initializers.linear_default(50, 100, seed=8, layer=1)
    state = model.state_dict()
    assert_same_bits(state["1.weight"], weight.astype(dtype))
    assert_same_bits(state["1.bias"], bias.astype(dtype))
    assert np.abs(state["1.weight"]).max() < 0.1


def test_weights_depend_on_the_seed_and_the_place_only(isa: str) -> None:
    a, b = nn.MLP([5, 4, 3], seed=1), nn.MLP([5, 4, 3], seed=1)
    assert_same_bits(a.state_dict(), b.state_dict())
    other = nn.MLP([5, 4, 3], seed=2).state_dict()
    assert not (a.state_dict()["0.weight"] == other["0.weight"]).any()
    twice = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)).state_dict()
    assert not (twice["0.weight"] == twice["1.weight"]).any()
