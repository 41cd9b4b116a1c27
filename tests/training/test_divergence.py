"""A training that diverges stops, says where, and leaves the last state whose loss was finite."""

import pickle
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from support import assert_same_bits

ROWS = 40


def exploding(optimizer: nn.optimizers.Optimizer, dtype: str = "float32", **settings: Any) -> nn.Sequential:
    """Return a network without squashing activations: with a large rate each step multiplies the error."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.2), nn.Linear(4, 1), seed=7, dtype=dtype)
    model.compile(loss="mse", optimizer=optimizer, **settings)
    return model


def samples(rng: np.random.Generator, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(rows, 3)).astype("float32"), rng.normal(size=rows).astype("float32")


def replay(
    model: nn.Sequential, X: np.ndarray, y: np.ndarray, batch_size: int, shuffle: bool = False
) -> tuple[list[dict[str, Any]], tuple[int, int]]:
    """Train by own loops until a loss is not finite; return the states before each step, and where it ended."""
    states, epoch = [], 0
    while True:
        order = internals.begin_epoch(model, len(X), shuffle)
        for step, start in enumerate(range(0, len(X), batch_size)):
            rows = order[start : start + batch_size]
            loss, _ = model.loss_and_grads(X[rows], y[rows])
            if not np.isfinite(loss):
                return states, (epoch, step)
            states.append(training_state(model))
            model.step()
        epoch += 1


def finite(state: dict[str, Any]) -> bool:
    return all(np.isfinite(values).all() for values in state.values())


def fit_until_divergence(model: nn.Sequential, X: np.ndarray, y: np.ndarray, **arguments: Any) -> nn.DivergenceError:
    with pytest.raises(nn.DivergenceError) as caught:
        model.fit(X, y, epochs=10_000, verbose=0, **arguments)
    return caught.value


# The larger the rate the sooner it happens: in the first steps, in later epochs, between two epochs of one step each.
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    ("optimizer", "batch_size"),
    [
        (nn.SGD(lr=1e18), 8),
        (nn.SGD(lr=1e6), 8),
        (nn.SGD(lr=50.0), 8),
        (nn.SGD(lr=3.0), 40),
        (nn.SGD(lr=3.0, momentum=0.9), 7),
        (nn.SGD(lr=0.7), 5),
        (nn.SGD(lr=0.6), 8),
        (nn.Adam(lr=3e18), 8),
    ],
)
def test_the_state_is_that_of_the_last_finite_loss(
    rng: np.random.Generator, optimizer: nn.optimizers.Optimizer, batch_size: int, shuffle: bool
) -> None:
    X, y = samples(rng)
    states, (epoch, step) = replay(exploding(optimizer), X, y, batch_size, shuffle)
    assert finite(states[-1])
    model = exploding(optimizer)
    error = fit_until_divergence(model, X, y, batch_size=batch_size, shuffle=shuffle)
    assert (error.epoch, error.step, error.lr) == (epoch, step, optimizer.lr)
    assert_same_bits(training_state(model), states[-1])


@pytest.mark.parametrize("at", [1, 2, 100, 255, 256, 257, 300, 511, 512, 513, 700])
def test_divergence_in_any_step_of_a_long_epoch(at: int) -> None:
    """One sample is so large that the step after it has no finite loss; copies are kept every 256 steps."""
    X, y = np.full((720, 1), 0.01, "float32"), np.zeros(720, "float32")
    X[at] = 1e15

    def make() -> nn.Sequential:
        model = nn.Sequential(nn.Linear(1, 1), seed=1)
        model.compile(loss="mse", optimizer=nn.SGD(lr=0.01, momentum=0.5))
        return model

    states, where = replay(make(), X, y, 1)
    assert where == (0, at + 1)
    model = make()
    error = fit_until_divergence(model, X, y, batch_size=1, shuffle=False)
    assert (error.epoch, error.step) == where
    assert_same_bits(training_state(model), states[-1])


def test_divergence_at_the_boundary_of_two_epochs() -> None:
    """Three samples are learned already; the last one's update is too large for the first, in the epoch after."""
    X, y = np.array([[1e14], [0.0], [0.0], [1.0]], "float32"), np.array([0.0, 0.0, 0.0, 1e15], "float32")

    def make() -> nn.Sequential:
        model = nn.Sequential(nn.Linear(1, 1, weight_init="zeros", bias_init="zeros"))
        model.compile(loss="mse", optimizer=nn.SGD(lr=1e10, momentum=0.9))
        return model

    states, where = replay(make(), X, y, 1)
    assert where == (1, 0)
    model = make()
    error = fit_until_divergence(model, X, y, batch_size=1, shuffle=False)
    assert (error.epoch, error.step) == where
    assert_same_bits(training_state(model), states[-1])


def test_weights_that_the_last_step_of_a_fit_spoils(rng: np.random.Generator) -> None:
    """No loss comes after it; the weights themselves tell. The step is the one that would have come."""
    X, y = samples(rng)
    model = exploding(nn.SGD(lr=0.01))
    model.fit(X, y, epochs=3, batch_size=16, shuffle=False, verbose=0)
    model.optimizer.lr = 1e38
    before = training_state(model)
    with pytest.raises(nn.DivergenceError) as caught:
        model.fit(100 * X, y, batch_size=ROWS, shuffle=False, verbose=0)
    assert (caught.value.epoch, caught.value.step) == (0, 1)
    after = training_state(model)
    assert_same_bits(after | {"counters": 0}, before | {"counters": 0})
    assert after["counters"].tolist() == (before["counters"] + [0, 1, 0]).tolist()  # the epoch had begun


@pytest.mark.parametrize("before", [0, 1, 256, 258])
def test_an_infinite_weight_behind_a_relu_is_not_kept(before: int) -> None:
    """Its unit is dead, so that the next loss is finite; only then 0 * inf = NaN. Neither state is a good one."""
    X, y = np.ones((before + 4, 1), "float32"), np.zeros(before + 4, "float32")
    X[:before] = 0  # teaches nothing

    def make() -> nn.Sequential:
        model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False))
        model.load_state_dict({"0.weight": [[1]], "2.weight": [[1e10]]})  # gradients 2e20 and 2e10
        model.compile(loss="mse", optimizer=nn.SGD(lr=1e20))
        return model

    states, where = replay(make(), X, y, 1)
    assert where == (0, before + 2)
    assert [finite(state) for state in states] == [True] * (before + 1) + [False]
    model = make()
    fit_until_divergence(model, X, y, batch_size=1, shuffle=False)
    assert_same_bits(training_state(model), states[-2])


def test_long_steps_go_back_too(rng: np.random.Generator) -> None:
    """A step of more than 200 MFLOP goes another way."""
    X, y = rng.normal(size=(800, 300)).astype("float32"), rng.normal(size=800)

    def make() -> nn.Sequential:
        model = nn.MLP([300, 300, 1], activation="identity")
        model.compile(loss="mse", optimizer=nn.SGD(lr=10, momentum=0.9))
        return model

    states, where = replay(make(), X, y, 400, shuffle=True)
    model = make()
    error = fit_until_divergence(model, X, y, batch_size=400)
    assert (error.epoch, error.step) == where
    assert where[0] > 0
    assert_same_bits(training_state(model), states[-1])


def test_a_model_that_is_not_finite_from_the_start_does_not_change(rng: np.random.Generator) -> None:
    X, y = samples(rng)
    model = exploding(nn.SGD(lr=0.1))
    model.load_state_dict({"0.bias": [np.nan, 0, 0, 0]}, strict=False)
    before = model.state_dict()
    error = fit_until_divergence(model, X, y)
    assert (error.epoch, error.step) == (0, 0)
    assert_same_bits(model.state_dict(), before)


def test_a_second_fit_that_diverges_at_once_leaves_what_it_found(rng: np.random.Generator) -> None:
    X, y = samples(rng)
    model = exploding(nn.SGD(lr=0.01))
    model.fit(X, y, epochs=2, verbose=0)
    before = model.state_dict()
    huge = np.full_like(X, 3e38)
    error = fit_until_divergence(model, huge, y, batch_size=8)
    assert (error.epoch, error.step) == (0, 0)
    assert_same_bits(model.state_dict(), before)


def test_the_model_goes_on_with_a_smaller_rate(rng: np.random.Generator) -> None:
    X, y = samples(rng)
    model = exploding(nn.SGD(lr=1e8))
    fit_until_divergence(model, X, y, batch_size=4)
    model.load_state_dict(exploding(nn.SGD()).state_dict())
    model.optimizer.lr = 0.01
    losses = model.fit(X, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_an_own_loss_that_diverges_leaves_the_last_finite_state(rng: np.random.Generator) -> None:
    X, y = samples(rng)

    def own_mse(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        with np.errstate(over="ignore"):
            return float(np.mean((p[:, 0] - t) ** 2)), 2 * (p - t[:, None]) / len(t)

    built_in, own = exploding(nn.SGD(lr=1e6)), exploding(nn.SGD(lr=1e6))
    own.compile(loss=own_mse, optimizer=nn.SGD(lr=1e6))
    errors = [fit_until_divergence(model, X, y, batch_size=8) for model in (built_in, own)]
    assert errors[0].args == errors[1].args
    assert finite(training_state(own))
    assert training_state(own)["counters"].tolist() == training_state(built_in)["counters"].tolist()


def test_steps_of_ones_own_in_a_callback_do_not_disturb_the_way_back(rng: np.random.Generator) -> None:
    X, y = samples(rng)
    model = exploding(nn.SGD(lr=0.01))

    def step_away(epoch: int, logs: Any) -> None:
        model.loss_and_grads(X, y)
        model.optimizer.lr = 1e30
        model.step()

    with pytest.raises(nn.DivergenceError) as caught:
        model.fit(X, y, epochs=9, batch_size=8, callbacks=[nn.LambdaCallback(on_epoch_end=step_away)], verbose=0)
    assert (caught.value.epoch, caught.value.step) == (1, 0)
    assert internals.counters(model) == (6, 2, 6)


def test_the_error_says_what_to_do_and_can_be_sent_to_another_process() -> None:
    error = nn.DivergenceError(3, 14, 0.5)
    assert isinstance(error, ArithmeticError)
    assert "in epoch 3, step 14, with lr=0.5" in str(error)
    assert "Try a smaller learning rate" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (again.epoch, again.step, again.lr, str(again)) == (3, 14, 0.5, str(error))
