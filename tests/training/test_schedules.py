"""A schedule is evaluated at every step of a fit, by how far the training has come."""

import copy
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import OPTIMIZERS, SCHEDULES, ScheduleCase
from copying import WAYS
from internals import position, training_state
from small_fits import assert_same_weights, data, own_mse, regressor
from support import assert_same_bits
from tolerance import eps

ROWS, BATCH = 22, 5  # five steps an epoch
STEPS = 5
FIT: dict[str, Any] = {"batch_size": BATCH, "verbose": 0}
RATE = nn.Cosine(0.2, epochs=4, warmup=0.7, final=0.02)


def rates(schedule: nn.Schedule, epochs: int, steps: int = STEPS) -> np.ndarray:
    return np.concatenate([schedule.values(epoch, steps) for epoch in range(epochs)])


def replay(model: nn.Sequential, X: np.ndarray, y: np.ndarray, given: np.ndarray, batch_size: int = BATCH) -> None:
    """Train by own loops with a number for each step."""
    optimizer: Any = model.optimizer
    lr = iter(given)
    for _ in range(len(given) // -(-len(X) // batch_size)):
        order = internals.begin_epoch(model, len(X), True)
        for start in range(0, len(X), batch_size):
            rows = order[start : start + batch_size]
            optimizer.lr = next(lr)
            model.loss_and_grads(X[rows], y[rows])
            model.step()


# ---- What a step gets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_weight_on_a_slope_of_one_moves_by_the_rate(name: str) -> None:
    """Huber's loss far from the target. The outputs of an epoch of single samples are the weight before each step."""
    case: ScheduleCase = SCHEDULES[name]
    model, seen = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64"), []

    def look(y_true: Any, y_pred: Any) -> float:
        seen.append(y_pred[:, 0].copy())
        return 0.0

    model.compile(nn.Huber(1.0), nn.SGD(lr=case.schedule), metrics=[look])
    epochs, steps = 5, 8
    seen.clear()
    model.fit(np.ones((steps, 1)), np.full(steps, 1e3), epochs=epochs, batch_size=1, shuffle=False, verbose=0)
    weights = np.append(np.concatenate(seen[-epochs:]), model.state_dict()["0.weight"])
    begin = np.arange(epochs * steps) / steps
    expected = case.value(begin, begin + 1 / steps).astype("float64")
    assert weights.shape == (epochs * steps + 1,)
    np.testing.assert_allclose(np.diff(weights), expected, rtol=0, atol=4 * eps("float64") * weights.max())


NETWORKS: dict[str, tuple[list[nn.Layer], int, int]] = {
    "tiny": ([nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)], ROWS, BATCH),
    "more than a snapshot apart": ([nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)], 600, 1),
    "layer by layer": ([nn.Linear(65, 131), nn.ReLU(), nn.Linear(131, 40), nn.Tanh(), nn.Linear(40, 2)], 500, 128),
    "long steps": ([nn.Linear(300, 300), nn.ReLU(), nn.Linear(300, 2)], 1405, 700),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_every_way_to_take_a_step_has_the_rates(rng: np.random.Generator, name: str, clip_norm: float | None) -> None:
    layers, n, batch_size = NETWORKS[name]
    assert isinstance(layers[0], nn.Linear)
    X, y = rng.normal(size=(n, layers[0].in_features)), rng.normal(size=(n, 2))
    steps = -(-n // batch_size)
    models = [nn.Sequential(*layers, seed=3) for _ in range(2)]
    schedule = nn.Cosine(0.05, epochs=1.6, warmup=0.4)
    for model, lr in zip(models, (schedule, 0.0), strict=True):
        model.compile("mse", nn.SGD(lr, momentum=0.9), clip_norm=clip_norm)
    with nn.runtime.threads(2):
        models[0].fit(X, y, epochs=2, batch_size=batch_size, verbose=0)
    replay(models[1], X, y, rates(schedule, 2, steps), batch_size)
    assert_same_bits(training_state(models[0]), training_state(models[1]))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_optimizer_follows_every_schedule(rng: np.random.Generator, optimizer: str, name: str) -> None:
    schedule, (X, y) = SCHEDULES[name].schedule, data(rng, ROWS)
    model, twin = (regressor(optimizer=OPTIMIZERS[optimizer].make()) for _ in range(2))
    model.optimizer.lr = schedule  # type: ignore[union-attr]
    model.fit(X, y, epochs=5, **FIT)
    replay(twin, X, y, rates(schedule, 5))
    assert_same_bits(training_state(model), training_state(twin))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_reference_follows_it_too(rng: np.random.Generator, optimizer: str) -> None:
    case, (X, y) = OPTIMIZERS[optimizer], data(rng, ROWS)
    model = regressor(optimizer=case.make())
    model.optimizer.lr = RATE  # type: ignore[union-attr]
    plain = nn.reference.Network.from_model(model, "mse", case.make_reference())
    model.fit(X, y, epochs=5, **FIT)
    plain.fit(X, y, epochs=5, batch_size=BATCH, rates=rates(RATE, 5))
    assert_same_weights(model, plain)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\[fit\] there are 4 rates but 5 steps; give one for each"):
        plain.fit(X, y, batch_size=BATCH, rates=[0.1] * 4)


def test_the_core_wants_a_rate_for_each_step(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model = regressor(own_mse)
    before = training_state(model)

    def loss(outputs: np.ndarray, rows: np.ndarray) -> Any:
        return own_mse(outputs, y[rows])

    for wrong, message in (
        (np.ones(4), "there are 4 learning rates for an epoch of 5 steps; give one for each"),
        (np.ones(0), r"an array of shape \(0,\); give one for each step"),
        (np.ones((5, 1)), r"an array of shape \(5, 1\); give one for each step"),
    ):
        with pytest.raises(ValueError, match=rf"\[fit\] .*{message}"):
            internals.fit_epoch(model, X, BATCH, wrong, loss)
    assert_same_bits(training_state(model), before)
    internals.fit_epoch(model, X, BATCH, np.full(5, 0.25), loss)
    twin = regressor(own_mse)
    internals.fit_epoch(twin, X, BATCH, 0.25, loss)
    assert_same_bits(training_state(model), training_state(twin))


# ---- How far a training has come ------------------------------------------------------------------------------------


def scheduled(**settings: Any) -> nn.Sequential:
    return regressor(**{"optimizer": nn.Adam(lr=RATE), **settings})


def test_two_fits_are_one(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    once, twice = scheduled(), scheduled()
    once.fit(X, y, epochs=5, **FIT)
    twice.fit(X, y, epochs=2, **FIT)
    assert position(twice) == (2, 0, 0)
    twice.fit(X, y, epochs=3, **FIT)
    assert position(once) == position(twice) == (5, 0, 0)
    assert_same_bits(training_state(once), training_state(twice))


@pytest.mark.parametrize("way", ["file", *WAYS])
def test_files_and_copies_go_on(rng: np.random.Generator, tmp_path: Any, way: str) -> None:
    X, y = data(rng, ROWS)
    once, model = scheduled(), scheduled()
    once.fit(X, y, epochs=5, **FIT)
    model.fit(X, y, epochs=2, **FIT)
    model.save(tmp_path / "m.safetensors")
    again = nn.load(tmp_path / "m.safetensors") if way == "file" else WAYS[way](model)
    assert again.optimizer == model.optimizer == nn.Adam(lr=RATE)
    assert position(again) == (2, 0, 0)
    again.fit(X, y, epochs=3, **FIT)
    assert_same_bits(training_state(again), training_state(once))
    assert position(model) == (2, 0, 0)


def own_loss(stop_at: int, act: Any = None) -> Any:
    """Return a loss function that raises, or acts, when it is called for the `stop_at`-th step."""
    calls = iter(range(10_000))

    def loss(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        if next(calls) == stop_at:
            if act is None:
                raise KeyboardInterrupt
            act()
        return own_mse(y_pred, y)

    return loss


@pytest.mark.parametrize("way", ["the same model", "file", "deepcopy"])
def test_an_epoch_after_one_that_was_interrupted_goes_on_from_its_step(
    rng: np.random.Generator, tmp_path: Any, way: str
) -> None:
    """Two of five steps of the second epoch are done: the next one takes 1.4 to 2.4, the one after it 2.4 to 3.4."""
    X, y = data(rng, ROWS)
    model = scheduled(loss=own_loss(STEPS + 2))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, epochs=3, **FIT)
    assert position(model) == (1, 2, 5)
    twin = regressor(optimizer=nn.Adam())
    replay(twin, X, y, RATE.values(0, STEPS))
    order = internals.begin_epoch(twin, ROWS, True)
    for step in range(2):
        twin.optimizer.lr = RATE.values(1, STEPS)[step]  # type: ignore[union-attr]
        twin.loss_and_grads(X[order[5 * step : 5 * step + 5]], y[order[5 * step : 5 * step + 5]])
        twin.step()
    assert_same_weights(model, twin)
    if way == "file":
        with pytest.warns(UserWarning, match="own functions"):
            model.save(tmp_path / "m.safetensors")
        model = nn.load(tmp_path / "m.safetensors", loss=own_mse)
    elif way == "deepcopy":
        model = copy.deepcopy(model)
    assert position(model) == (1, 2, 5)
    model.fit(X, y, epochs=2, batch_size=4, verbose=0)  # of six steps each
    assert position(model) == (3.4, 0, 0)
    replay(twin, X, y, np.concatenate([RATE.values(1.4, 6), RATE.values(2.4, 6)]), 4)
    assert_same_weights(model, twin)


def test_epochs_of_other_lengths_are_epochs(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model, twin = scheduled(), regressor(optimizer=nn.Adam())
    for n, batch_size in ((ROWS, 5), (10, 3), (ROWS, 30), (7, 1)):
        steps, epochs = -(-n // batch_size), position(model)[0]
        model.fit(X[:n], y[:n], batch_size=batch_size, verbose=0)
        replay(twin, X[:n], y[:n], RATE.values(epochs, steps), batch_size)
    assert position(model) == (4, 0, 0)
    assert_same_bits(training_state(model), training_state(twin))


def test_no_rounding_adds_up_over_many_steps() -> None:
    """Neither 1/49 nor 1/10 has a finite binary fraction."""
    model = nn.Sequential(nn.Linear(1, 1))
    model.compile("mse", nn.SGD(0.0))
    for n in (49, 10, 49):
        model.fit(np.ones((n, 1)), np.ones(n), epochs=100, batch_size=1, verbose=0)
    assert position(model) == (300, 0, 0)


def test_only_compile_begins_anew(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model = scheduled()
    model.fit(X, y, epochs=2, **FIT)
    model.freeze("0")
    model.unfreeze("0")
    model.load_state_dict(model.state_dict())
    model.evaluate(X, y)
    model.optimizer.lr = nn.Cosine(0.1, epochs=9)  # type: ignore[union-attr]
    assert position(model) == (2, 0, 0)
    model.optimizer.lr = 0.1  # type: ignore[union-attr]
    model.loss_and_grads(X, y)
    model.step()  # is in no epoch
    assert position(model) == (2, 0, 0)
    model.compile("mse", nn.Adam(lr=RATE))
    assert position(model) == (0, 0, 0)


# ---- Rates that others set ------------------------------------------------------------------------------------------


def test_a_loop_of_ones_own_has_no_epochs(rng: np.random.Generator) -> None:
    X, y = data(rng)
    model = scheduled()
    model.loss_and_grads(X, y)
    before = training_state(model)
    with pytest.raises(
        RuntimeError, match=r"\[step\] the optimizer's lr is Cosine\(.*\), .* set model.optimizer.lr = "
    ):
        model.step()
    assert_same_bits(training_state(model), before)
    model.optimizer.lr = RATE.values(0, 3)[1]  # type: ignore[union-attr]
    model.step()
    assert training_state(model)["counters"][0] == 1


def test_a_callback_sets_a_number_or_another_schedule_for_the_epochs_to_come(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model, twin, other = scheduled(), regressor(optimizer=nn.Adam()), nn.Cosine(0.5, epochs=3, final=0.1)
    plan = {0: 0.03, 1: other}

    def change(epoch: int, logs: Any) -> None:
        model.optimizer.lr = plan.get(epoch, other)  # type: ignore[union-attr]

    model.fit(X, y, epochs=3, callbacks=[nn.LambdaCallback(on_epoch_end=change)], **FIT)
    replay(twin, X, y, np.concatenate([RATE.values(0, STEPS), np.full(STEPS, 0.03), other.values(2, STEPS)]))
    assert_same_bits(training_state(model), training_state(twin))


@pytest.mark.parametrize("lr", [0.03, nn.Cosine(0.5, epochs=3, final=0.1)], ids=repr)
def test_what_an_own_loss_sets_holds_from_that_step_on(rng: np.random.Generator, lr: Any) -> None:
    X, y = data(rng, ROWS)
    model, twin = scheduled(), regressor(optimizer=nn.Adam())
    model.compile(own_loss(7, lambda: setattr(model.optimizer, "lr", lr)), nn.Adam(lr=RATE))
    model.fit(X, y, epochs=3, **FIT)
    expected = rates(RATE, 3)
    expected[7:] = lr if isinstance(lr, float) else rates(lr, 3)[7:]
    replay(twin, X, y, expected)
    assert_same_weights(model, twin)
    assert model.optimizer == nn.Adam(lr=lr)


def test_early_stopping_does_not_mind(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model = scheduled()
    early = nn.EarlyStopping("loss", patience=1, min_delta=1e9)
    history = model.fit(X, y, epochs=9, callbacks=early, **FIT)
    assert (early.stopped_epoch, history.epoch, position(model)) == (1, [0, 1], (2, 0, 0))


# ---- Divergence -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("at", [1, 100, 256, 300, 511, 600])
def test_steps_that_are_repeated_have_their_own_rates_again(at: int, own: bool) -> None:
    """One sample is so large that the step after it has no finite loss."""
    n, schedule = 720, nn.Cosine(0.02, epochs=3, warmup=0.5, final=0.001)
    X, y = np.full((n, 1), 0.01, "float32"), np.zeros((n, 1), "float32")
    X[at] = 1e15
    model, twin = (nn.Sequential(nn.Linear(1, 1), seed=1) for _ in range(2))
    with np.errstate(over="ignore", invalid="ignore"):
        model.compile(own_mse if own else "mse", nn.SGD(lr=schedule, momentum=0.5))
        with pytest.raises(nn.DivergenceError) as caught:
            model.fit(X, y, batch_size=1, shuffle=False, verbose=0)
    assert (caught.value.epoch, caught.value.step) == (0, at + 1)
    assert caught.value.lr == schedule.values(0, n)[at + 1]
    assert position(model) == (0, at, n)
    twin.compile("mse", nn.SGD(momentum=0.5))
    internals.begin_epoch(twin, n, False)
    for step in range(at):
        twin.optimizer.lr = schedule.values(0, n)[step]  # type: ignore[union-attr]
        twin.loss_and_grads(X[step : step + 1], y[step : step + 1])
        twin.step()
    assert_same_bits(training_state(model), training_state(twin))


def test_divergence_after_the_last_step_tells_its_rate() -> None:
    """No step comes after it; the weights themselves tell."""
    model, schedule = nn.Sequential(nn.Linear(1, 1), seed=1), nn.Cosine(1e38, epochs=3)
    model.compile("mse", nn.SGD(lr=schedule))
    with pytest.raises(nn.DivergenceError) as caught:
        model.fit([[1e4], [0.0]], [1.0, 2.0], batch_size=2, verbose=0)
    assert (caught.value.step, caught.value.lr, position(model)) == (1, 1e38, (0, 0, 0))
