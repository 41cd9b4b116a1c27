"""A schedule is evaluated at every step of a fit."""

from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from cases import OPTIMIZERS, WITH_RATES
from internals import position, training_state
from schedule_cases import SCHEDULES, ScheduleCase
from scheduled import BATCH, FIT, RATE, ROWS, rates, replay
from small_fits import assert_same_weights, data, own_mse, regressor
from support import assert_same_bits
from tolerance import eps

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


@pytest.mark.parametrize("loss", ["mse", own_mse], ids=["mse", "own loss"])
@pytest.mark.parametrize("accumulate", [2, 3, 9])
def test_a_step_of_several_batches_has_one_rate(rng: np.random.Generator, loss: Any, accumulate: int) -> None:
    """Lengths are in epochs, so that it is the rate of a step with all their rows."""
    X, y = data(rng, ROWS)
    model = regressor(loss, optimizer=nn.Adam(lr=RATE), accumulate=accumulate)
    model.fit(X, y, epochs=3, **FIT)
    assert position(model) == (3, 0, 0)
    twin = regressor(optimizer=nn.Adam())
    rows = accumulate * BATCH
    replay(twin, X, y, rates(RATE, 3, -(-ROWS // rows)), rows)
    assert_same_weights(model, twin)


@pytest.mark.parametrize("optimizer", WITH_RATES)
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_optimizer_follows_every_schedule(rng: np.random.Generator, optimizer: str, name: str) -> None:
    schedule, (X, y) = SCHEDULES[name].schedule, data(rng, ROWS)
    model, twin = (regressor(optimizer=OPTIMIZERS[optimizer].make()) for _ in range(2))
    model.optimizer.lr = schedule  # type: ignore[union-attr]
    model.fit(X, y, epochs=5, **FIT)
    replay(twin, X, y, rates(schedule, 5))
    assert_same_bits(training_state(model), training_state(twin))


@pytest.mark.parametrize("optimizer", WITH_RATES)
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


def test_the_core_wants_a_value_for_each_step(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model = regressor(own_mse)
    before = training_state(model)

    def loss(outputs: np.ndarray, rows: np.ndarray) -> Any:
        return own_mse(outputs, y[rows])

    for wrong, message in (
        (np.ones(4), "there are 4 values of lr for an epoch of 5 steps; give one for each"),
        (np.ones(0), r"an array of shape \(0,\); give one for each step"),
        (np.ones((5, 1)), r"an array of shape \(5, 1\); give one for each step"),
    ):
        with pytest.raises(ValueError, match=rf"\[fit\] .*{message}"):
            internals.fit_epoch(model, X, BATCH, {"lr": wrong}, loss)
    assert_same_bits(training_state(model), before)
    internals.fit_epoch(model, X, BATCH, {"lr": np.full(5, 0.25)}, loss)
    twin = regressor(own_mse)
    internals.fit_epoch(twin, X, BATCH, {"lr": 0.25}, loss)
    assert_same_bits(training_state(model), training_state(twin))


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
