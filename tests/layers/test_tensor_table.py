"""What a network would own, told from the descriptions of its layers: they may be anybody's claim."""

import resource
from typing import Any

import pytest

import internals
import nnext as nn
from layer_cases import LAYERS

LINEAR = nn.Linear(2, 2).config()
NORM = nn.BatchNorm1d(2).config()


def residual(depth: int) -> dict[str, Any]:
    """Return the description of branches within branches."""
    config = nn.ReLU().config()
    for _ in range(depth):
        config = {"type": "Residual", "body": [config], "shortcut": []}
    return config


@pytest.mark.parametrize("name", LAYERS)
def test_the_table_is_that_of_the_network(name: str) -> None:
    layers = [LAYERS[name].layer, *LAYERS[name].head(2)]
    model = nn.Sequential(*layers)
    assert internals.tensor_table([layer.config() for layer in layers]) == model.engine.tensors()
    assert internals.tensor_table_of(layers) == model.engine.tensors()


@pytest.mark.resources
def test_nothing_of_the_size_of_the_parameters_is_allocated() -> None:
    """40 GB of weights and 800 GB of statistics, told within 16 MB of addresses more."""
    n, many = 100_000, 10**11
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as statm:
        now = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 2**24, hard))
    try:
        linear = internals.tensor_table([LINEAR | {"in_features": n, "out_features": n}])
        norm = internals.tensor_table([NORM | {"num_features": many}])
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert linear == [("0.weight", (n, n), "parameter"), ("0.bias", (n,), "parameter")]
    assert norm[2] == ("0.running_mean", (many,), "buffer")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([LINEAR | {"in_features": 2**40, "out_features": 2**40}], "layer 0: a Linear of these sizes has more numbers"),
        ([LINEAR | {"in_features": 2**62, "out_features": 2**62}], "layer 0: a Linear of these sizes has more numbers"),
        ([LINEAR | {"in_features": 2**64}], "'in_features' does not fit 64 bits"),
        ([LINEAR | {"in_features": 0}], "'in_features', which must be at least 1"),
        ([LINEAR | {"out_features": 0}], "'out_features', which must be at least 1"),
        ([LINEAR | {"out_features": -1}], "'out_features', which must be at least 1"),
        ([NORM | {"num_features": 0}], "'num_features', which must be at least 1"),
        ([LINEAR, LINEAR | {"in_features": 3}], "layer 1: .* x has 2 features but the layer expects 3"),
        ([residual(101)], "descriptions hold each other more than 100 deep"),
        ([residual(100_000)], "descriptions hold each other more than 100 deep"),
    ],
)
def test_what_no_network_can_be_is_refused(layers: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        internals.tensor_table(layers)


def test_branches_may_be_nested() -> None:
    assert internals.tensor_table([residual(99), LINEAR]) == [
        ("1.weight", (2, 2), "parameter"),
        ("1.bias", (2,), "parameter"),
    ]
