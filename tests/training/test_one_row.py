"""Batches of one row, as of learning online.

A gradient that is an outer product is applied without being written, and the first layer goes forward for the next row
while its weights change: in one run of the team, up to its last step.
"""

import contextlib
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import OPTIMIZERS
from determinism import THREADS
from internals import training_state
from pins import classes
from sparse import csr
from support import assert_same_bits

NETWORKS: dict[str, list[nn.Layer]] = {
    "edges": [nn.Linear(65, 131), nn.GELU(), nn.Linear(131, 70, bias=False), nn.Tanh(), nn.Linear(70, 10)],
    "columns": [nn.Linear(65, 384), nn.ReLU(), nn.Linear(384, 384), nn.ReLU(), nn.Linear(384, 10)],
    "long rows": [nn.Linear(65, 40), nn.ReLU(), nn.Linear(40, 300), nn.ReLU(), nn.Linear(300, 10)],
    "one layer": [nn.Linear(65, 10)],
    "no bias first": [nn.Linear(65, 200, bias=False), nn.ReLU(), nn.Linear(200, 10)],
    "branches": [nn.Residual(nn.Linear(65, 65), nn.Tanh(), nn.Linear(65, 65)), nn.Linear(65, 10)],
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
    "a rate of its own": {"optimizer": nn.SGD(lr=0.05, lr_scale={"0": 0.5})},
    "two batches a step": {"optimizer": nn.SGD(lr=0.05), "accumulate": 2},
}
# Of whole fits.
SCHEDULES: dict[str, nn.SGD] = {
    "one rate": nn.SGD(lr=0.05),
    "a rate for each step": nn.SGD(lr=nn.Cosine(0.05, epochs=2)),
    "momentum that comes and goes": nn.SGD(lr=0.02, momentum=nn.Piecewise([0.5, 1.2], [0, 0.5, 0])),
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
    assert numbers(got)
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


def test_rows_are_the_same_however_they_are_given(dtype: str, rng: np.random.Generator) -> None:
    bytes_ = rng.integers(0, 4, size=X.shape, dtype=np.uint8)
    numbers_ = bytes_.astype(dtype)
    given = {
        "as they are": numbers_,
        "bytes": bytes_,
        "sparse": csr(numbers_),
        "backwards": numbers_[::-1].copy()[::-1],
        "with gaps": np.repeat(numbers_, 2, axis=0)[::2],
    }
    states = {}
    for name, x in given.items():
        for threads in (1, 2):
            with nn.runtime.threads(threads):
                model = build("columns", SETTINGS["plain"], dtype)
                model.fit(x, Y, batch_size=1, epochs=2, verbose=0)
                states[name, threads] = model.state_dict()
    # Steps that are each a run of their own have no next row.
    model = build("columns", SETTINGS["plain"], dtype)
    with internals.changing_team(), nn.runtime.threads(2):
        model.fit(numbers_, Y, batch_size=1, epochs=2, verbose=0)
    for state in states.values():
        assert_same_bits(state, model.state_dict())


@pytest.mark.parametrize("network", ["columns", "branches"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_settings_that_change_within_a_fit(schedule: str, network: str) -> None:
    states = []
    for threads in (0, 1, 2, 3):
        with internals.changing_team() if threads == 0 else contextlib.nullcontext(), nn.runtime.threads(threads or 2):
            model = build(network, {"optimizer": SCHEDULES[schedule], "metrics": ["accuracy"]}, "float32")
            history = model.fit(X, Y, batch_size=1, epochs=2, verbose=0)
            states.append(training_state(model) | {name: np.array(history[name]) for name in ("loss", "accuracy")})
    for state in states[1:]:
        assert_same_bits(state, states[0])


def test_a_frozen_layer_stays(dtype: str) -> None:
    model = build("edges", SETTINGS["plain"], dtype)
    model.freeze("2")
    before = {name: value.copy() for name, value in model.state_dict().items()}
    fitted(model)
    changed = [name for name, value in model.state_dict().items() if not np.array_equal(value, before[name])]
    assert changed == ["0.weight", "0.bias", "4.weight", "4.bias"]
