"""clip_norm: the gradients of all parameters together are at most so long."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import OPTIMIZERS
from internals import training_state
from support import assert_same_bits
from tolerance import assert_within, eps

X = np.random.default_rng(1).normal(size=(40, 5))
Y = np.random.default_rng(2).normal(size=(40, 3))


def network(clip_norm: float | None, optimizer: Any = "sgd", dtype: str = "float64") -> nn.Sequential:
    layers = [nn.Linear(5, 70), nn.Tanh(), nn.Linear(70, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)]
    model = nn.Sequential(*layers, seed=1, dtype=dtype)
    model.compile(loss="mse", optimizer=optimizer, clip_norm=clip_norm)
    return model


def norm(grads: dict[str, np.ndarray]) -> float:
    return float(np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in grads.values())))


@pytest.mark.parametrize("frozen", [(), ("0",), ("2", "3")])
def test_a_step_of_sgd_is_as_long_as_it_may_be(isa: str, dtype: str, frozen: tuple[str, ...]) -> None:
    """Of the parameters that train; before weight decay, and statistics are none."""
    model = network(0.125, nn.SGD(lr=1.0), dtype)
    model.freeze(*frozen)
    before = model.state_dict()
    _, grads = model.loss_and_grads(X, Y)
    length = norm(grads)
    assert length > 0.125
    model.step()
    after = model.state_dict()
    for name, gradient in grads.items():
        moved = gradient.astype(np.float64) * 0.125 / (length + 1e-6)
        size = np.abs(before[name]).max() + np.abs(moved).max()
        assert_within(before[name].astype(np.float64) - after[name], moved, 4 * eps(dtype) * size)
    rate = 0.1 if "3" not in frozen else 0.0
    assert after["3.num_batches_tracked"] == (rate > 0)
    assert (after["3.running_mean"] != 0).all() == (rate > 0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_limit_that_is_never_reached_changes_no_bit(isa: str, dtype: str, name: str) -> None:
    states = []
    for limit in (None, 1e6):
        model = network(limit, OPTIMIZERS[name].make(), dtype)
        model.fit(X, Y, epochs=3, batch_size=16, verbose=0)
        model.loss_and_grads(X, Y)
        model.step()
        states.append(training_state(model))
    assert_same_bits(states[1], states[0])


def test_grads_are_shown_as_they_were() -> None:
    model, plain = network(0.01), network(None)
    for net in (model, plain):
        net.loss_and_grads(X, Y)
    assert_same_bits(model.grads(), plain.grads())
    assert norm(model.grads()) > 0.01


def test_weight_decay_is_not_clipped() -> None:
    """With a limit that leaves next to no gradient, decay remains."""
    model = network(1e-9, nn.SGD(lr=0.5, weight_decay=0.1))
    before = model.state_dict()
    model.fit(X, Y, batch_size=40, verbose=0)
    for name in ("0.weight", "0.bias", "4.weight"):
        assert_within(model.state_dict()[name], 0.95 * before[name], 1e-9)


def test_tiny_networks_and_long_steps_clip_as_well(isa: str) -> None:
    rng = np.random.default_rng(3)
    for sizes, rows, batch in (([2, 2, 1], 8, 4), ([300, 300, 10], 1400, 700)):
        samples, targets = rng.normal(size=(rows, sizes[0])), 100 * rng.normal(size=(rows, sizes[-1]))
        fitted, own = nn.MLP(sizes), nn.MLP(sizes)
        for model in (fitted, own):
            model.compile(loss="mse", optimizer=nn.SGD(lr=0.1), clip_norm=0.5)
        fitted.fit(samples, targets, batch_size=batch, shuffle=False, verbose=0)
        internals.begin_epoch(own, rows, False)
        for start in range(0, rows, batch):
            own.loss_and_grads(samples[start : start + batch], targets[start : start + batch])
            own.step()
        assert_same_bits(training_state(fitted), training_state(own))
        start = nn.MLP(sizes).state_dict()
        moved = norm({name: values - start[name] for name, values in fitted.state_dict().items()})
        assert moved <= 2 * 0.1 * 0.5 * 1.001
        assert moved > 0.01


def test_compile_again_without_it_takes_it_away() -> None:
    model, plain = network(0.01), network(None)
    model.compile(loss="mse", optimizer="sgd")
    for net in (model, plain):
        net.fit(X, Y, verbose=0)
    assert internals.settings(model)["clip_norm"] is None
    assert_same_bits(training_state(model), training_state(plain))
