"""Batches of one row, as of learning online: a gradient that is an outer product is applied without being written."""

from typing import Any

import numpy as np
import pytest

import nnext as nn
from cases import OPTIMIZERS
from determinism import THREADS
from internals import training_state
from pins import classes
from support import assert_same_bits

NETWORKS: dict[str, list[nn.Layer]] = {
    "edges": [nn.Linear(65, 131), nn.GELU(), nn.Linear(131, 70, bias=False), nn.Tanh(), nn.Linear(70, 10)],
    "columns": [nn.Linear(65, 384), nn.ReLU(), nn.Linear(384, 384), nn.ReLU(), nn.Linear(384, 10)],
    "long rows": [nn.Linear(65, 40), nn.ReLU(), nn.Linear(40, 300), nn.ReLU(), nn.Linear(300, 10)],
}
# Also what cannot go without the gradient: a velocity, another rule, limits and l1.
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {"optimizer": nn.SGD(lr=0.05)},
    "weight decay": {"optimizer": nn.SGD(lr=0.05, weight_decay=0.1)},
    "momentum": {"optimizer": nn.SGD(lr=0.05, momentum=0.9)},
    "l1": {"optimizer": nn.SGD(lr=0.05, l1=0.01)},
    "adam": {"optimizer": OPTIMIZERS["adam"].make()},
    "limited elements": {"optimizer": nn.SGD(lr=0.05), "clip_value": 0.01},
    "limited norm": {"optimizer": nn.SGD(lr=0.05), "clip_norm": 0.1},
    "averages": {"optimizer": nn.SGD(lr=0.05), "ema": 0.9},
    "a rate of its own": {"optimizer": nn.SGD(lr=0.05, lr_scale={"2": 0.5})},
    "two batches a step": {"optimizer": nn.SGD(lr=0.05), "accumulate": 2},
}
X, Y = classes(14)


def build(network: str, settings: dict[str, Any], dtype: str) -> nn.Sequential:
    model = nn.Sequential(*NETWORKS[network], seed=3, dtype=dtype)
    model.compile(loss="cross_entropy", **settings)
    return model


def in_own_loop(model: nn.Sequential, rows: int) -> dict[str, Any]:
    """Write every gradient, of so many rows, before it is applied."""
    for i in range(0, len(X), rows):
        model.loss_and_grads(X[i : i + rows], Y[i : i + rows])
        model.step()
    return training_state(model)


def fitted(model: nn.Sequential, **options: Any) -> dict[str, Any]:
    model.fit(X, Y, batch_size=1, shuffle=False, verbose=0, **options)
    return training_state(model)


def numbers(state: dict[str, Any]) -> dict[str, Any]:
    """Return all but the counters of epochs, which an own loop has none of."""
    return {name: value for name, value in state.items() if name != "counters"}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("settings", SETTINGS)
def test_a_fit_has_the_bits_of_an_own_loop(isa: str, dtype: str, network: str, settings: str) -> None:
    rows = SETTINGS[settings].get("accumulate", 1)
    expected = in_own_loop(build(network, SETTINGS[settings], dtype), rows)
    got = fitted(build(network, SETTINGS[settings], dtype))
    assert len(numbers(got)) > 4
    assert_same_bits(numbers(got), numbers(expected))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("threads", THREADS[1:])
@pytest.mark.parametrize("settings", ["plain", "weight decay", "adam"])
def test_on_any_number_of_threads(network: str, threads: int, settings: str) -> None:
    states = []
    for count in (1, threads):
        with nn.runtime.threads(count):
            states.append(fitted(build(network, SETTINGS[settings], "float32"), epochs=2))
    assert_same_bits(states[0], states[1])


def test_a_frozen_layer_stays(dtype: str) -> None:
    model = build("edges", SETTINGS["plain"], dtype)
    model.freeze("2")
    before = {name: value.copy() for name, value in model.state_dict().items()}
    fitted(model)
    changed = [name for name, value in model.state_dict().items() if not np.array_equal(value, before[name])]
    assert changed == ["0.weight", "0.bias", "4.weight", "4.bias"]
