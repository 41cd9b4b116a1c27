"""Every number of an optimizer that may be a schedule is evaluated at every step, and may be set at any time."""

import copy
import pathlib
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import OPTIMIZERS
from internals import position, training_state
from scheduled import BATCH, FIT, ROWS, STEPS
from small_fits import assert_same_weights, data, own_mse, regressor
from support import assert_same_bits

SETTINGS = [(name, setting) for name, case in OPTIMIZERS.items() for setting in case.make().changing()]
# A velocity is kept or not for good, and a nesterov one takes no dampening.
SETTINGS = [
    (name, setting)
    for name, setting in SETTINGS
    if (setting not in ("momentum", "dampening") or OPTIMIZERS[name].settings.get("momentum"))
    and (setting != "dampening" or not OPTIMIZERS[name].settings.get("nesterov"))
]


def schedule(setting: str) -> nn.Schedule:
    value = {"lr": 0.02, "momentum": 0.9, "alpha": 0.95, "rho": 0.9, "dampening": 0.5}.get(setting, 0.3)
    return nn.Cosine(value, epochs=3, warmup=0.4, final=0.1 * value)


def pair(name: str, setting: str, loss: Any = "mse") -> tuple[nn.Sequential, nn.Sequential]:
    """Return a model with a schedule, and one that is told each number."""
    case = OPTIMIZERS[name]
    scheduled = regressor(loss, optimizer=case.type(**case.settings | {setting: schedule(setting)}))
    return scheduled, regressor(loss, optimizer=case.make())


def values(setting: str, epochs: int) -> np.ndarray:
    return np.concatenate([schedule(setting).values(epoch, STEPS) for epoch in range(epochs)])


def replay(model: nn.Sequential, X: np.ndarray, y: np.ndarray, setting: str, given: np.ndarray) -> None:
    """Train by own loops with a number for each step."""
    numbers = iter(given)
    for _ in range(len(given) // STEPS):
        order = internals.begin_epoch(model, len(X), True)
        for start in range(0, len(X), BATCH):
            rows = order[start : start + BATCH]
            setattr(model.optimizer, setting, next(numbers))
            model.loss_and_grads(X[rows], y[rows])
            model.step()


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
@pytest.mark.parametrize("own", [False, True])
def test_every_step_of_a_fit_has_its_value(rng: np.random.Generator, name: str, setting: str, own: bool) -> None:
    X, y = data(rng, ROWS)
    model, twin = pair(name, setting, own_mse if own else "mse")
    plain = regressor(optimizer=OPTIMIZERS[name].make())
    for net in (model, plain):
        net.fit(X, y, epochs=3, **FIT)
    replay(twin, X, y, setting, values(setting, 3))
    assert_same_bits(training_state(model), training_state(twin))
    assert any((model.state_dict()[key] != array).any() for key, array in plain.state_dict().items())


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_batches_that_are_handed_over_have_it_too(rng: np.random.Generator, name: str, setting: str) -> None:
    X, y = data(rng, ROWS)
    model, twin = pair(name, setting)[0], pair(name, setting)[0]
    batches = [(X[start : start + BATCH], y[start : start + BATCH]) for start in range(0, ROWS, BATCH)]
    model.fit(batches, epochs=2, verbose=0)
    twin.fit(X, y, epochs=2, shuffle=False, **FIT)
    assert_same_bits(training_state(model), training_state(twin))


@pytest.mark.parametrize("own", [False, True])
def test_a_step_of_several_batches_has_one_value(rng: np.random.Generator, own: bool) -> None:
    """That of one batch of all their rows, in an epoch of as many steps."""
    X, y = data(rng, ROWS)
    settings = {"lr": nn.Cosine(0.2, epochs=3, warmup=0.4), "momentum": nn.Cosine(0.9, epochs=2)}
    several, one = (
        regressor(own_mse if own else "mse", optimizer=nn.SGD(**settings), accumulate=accumulate)
        for accumulate in (2, 1)
    )
    several.fit(X, y, epochs=3, batch_size=4, verbose=0)
    one.fit(X, y, epochs=3, batch_size=8, verbose=0)
    if own:
        assert_same_weights(several, one)  # means of two batches, weighted by rows
    else:
        assert_same_bits(training_state(several), training_state(one))


@pytest.mark.parametrize("way", ["file", "copy"])
def test_files_and_copies_go_on_with_it(rng: np.random.Generator, way: str, tmp_path: pathlib.Path) -> None:
    X, y = data(rng, ROWS)
    for name, setting in [("sgd_momentum", "momentum"), ("adamw", "weight_decay"), ("rmsprop", "l1")]:
        model, _ = pair(name, setting)
        model.fit(X, y, **FIT)
        model.save(tmp_path / "m")
        again = nn.load(tmp_path / "m") if way == "file" else copy.deepcopy(model)
        assert again.optimizer == model.optimizer
        for net in (model, again):
            net.fit(X, y, epochs=2, **FIT)
        assert_same_bits(training_state(again), training_state(model))


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("at", [1, 256, 300])
def test_steps_that_are_repeated_have_their_own_values_again(at: int, own: bool) -> None:
    """One sample is so large that the step after it has no finite loss."""
    n, momentum = 400, nn.Cosine(0.9, epochs=3, warmup=0.5, final=0.1)
    X, y = np.full((n, 1), 0.01, "float32"), np.zeros((n, 1), "float32")
    X[at] = 1e15
    model, twin = (nn.Sequential(nn.Linear(1, 1), seed=1) for _ in range(2))
    with np.errstate(over="ignore", invalid="ignore"):
        model.compile(own_mse if own else "mse", nn.SGD(lr=0.02, momentum=momentum, weight_decay=momentum))
        with pytest.raises(nn.DivergenceError) as caught:
            model.fit(X, y, batch_size=1, shuffle=False, verbose=0)
    assert (caught.value.step, caught.value.lr, position(model)) == (at + 1, 0.02, (0, at, n))
    twin.compile("mse", nn.SGD(lr=0.02, momentum=0.9))
    internals.begin_epoch(twin, n, False)
    optimizer: Any = twin.optimizer
    for step in range(at):
        optimizer.momentum = optimizer.weight_decay = momentum.values(0, n)[step]
        twin.loss_and_grads(X[step : step + 1], y[step : step + 1])
        twin.step()
    assert_same_bits(training_state(model), training_state(twin))


def test_a_number_that_is_set_counts_from_the_next_epoch_on(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model, twin = (regressor(optimizer=nn.SGD(momentum=0.9)) for _ in range(2))
    for momentum, decay in ((0.9, 0.0), (0.5, 0.1), (0.8, nn.Cosine(0.1, epochs=4))):
        for net in (model, twin):
            optimizer: Any = net.optimizer
            optimizer.momentum, optimizer.weight_decay = momentum, decay
            net.fit(X, y, **FIT)
        optimizer = model.optimizer
        optimizer.momentum = 0.1  # what is set again before it counts is as if it had not been
    assert_same_bits(training_state(model), training_state(twin))


@pytest.mark.parametrize(("name", "setting"), [("sgd_momentum", "momentum"), ("adam", "weight_decay"), ("lion", "l1")])
def test_an_own_loop_has_no_epochs_to_follow(name: str, setting: str) -> None:
    model, _ = pair(name, setting)
    model.loss_and_grads(np.ones((3, 4)), np.ones((3, 2)))
    with pytest.raises(RuntimeError, match=rf"optimizer's {setting} is Cosine.*set model.optimizer.{setting} = number"):
        model.step()


@pytest.mark.parametrize("kind", [nn.SGD, nn.RMSprop])
def test_a_velocity_is_kept_or_not_for_good(kind: Any) -> None:
    for before, after in ((0, 0.5), (0, nn.Cosine(0.5, 2)), (0.5, 0), (nn.Cosine(0.5, 2), 0)):
        optimizer = kind(momentum=before)
        with pytest.raises(AttributeError, match=rf"\[{kind.__name__}\] momentum cannot become .*; make a new"):
            optimizer.momentum = after
        assert optimizer == kind(momentum=before)
    optimizer = kind(momentum=nn.Cosine(0.5, 2))
    optimizer.momentum = 0.25
    assert optimizer == kind(momentum=0.25)


def test_dampening_goes_with_a_velocity_and_not_with_nesterov() -> None:
    plain: Any = nn.SGD()
    nesterov: Any = nn.SGD(momentum=0.9, nesterov=True)
    for optimizer, message in ((plain, "dampening needs momentum"), (nesterov, "nesterov is True and dampening")):
        with pytest.raises(ValueError, match=rf"\[SGD\] {message}"):
            optimizer.dampening = 0.5
        assert optimizer.dampening == 0
    with pytest.raises(ValueError, match="dampening needs momentum, which is 0"):
        nn.SGD(dampening=0.5)
    with pytest.raises(ValueError, match=r"nesterov is True and dampening 0\.5; leave one of them out"):
        nn.SGD(momentum=0.9, nesterov=True, dampening=0.5)
