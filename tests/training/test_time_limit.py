"""A fit whose time is over ends after a whole step, says where, and a later fit goes on from there."""

import math
import re
import time
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from batches import cut, draw, network
from internals import position, training_state
from scheduled import FIT, RATE, ROWS, STEPS, replay, scheduled
from small_fits import assert_same_weights, data, own_mse, regressor
from support import assert_same_bits, unchanged

SHORT = 0.05  # seconds; no test minds how many steps these are


def where(history: nn.History) -> tuple[int, int]:
    """Return epoch and step that the reason names."""
    reason = history.stop_reason or ""
    if found := re.fullmatch(r"TimeLimit in epoch (\d+) after (\d+) steps of it", reason):
        return int(found[1]), int(found[2])
    found = re.fullmatch(r"TimeLimit before epoch (\d+)", reason)
    assert found, reason
    return int(found[1]), 0


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("sizes", "n", "batch_size", "batches"),
    [
        pytest.param([8, 16, 4], 20_000, 1, 1, id="short steps"),
        pytest.param([64, 256, 4], 20_000, 64, 1, id="steps for two threads"),
        pytest.param([1, 1024, 1024, 1], 4_096, 512, 1, id="long steps"),
        pytest.param([64, 256, 4], 20_000, 96, 3, id="steps of three batches"),
    ],
)
def test_it_ends_after_a_whole_step(sizes: list[int], n: int, batch_size: int, batches: int, threads: int) -> None:
    """`batch_size` is that of a step, in so many batches."""
    X, y = (np.linspace(-1, 1, n * k, dtype="float32").reshape(n, k) for k in (sizes[0], sizes[-1]))
    fit = {"shuffle": False, "verbose": 0}

    def compiled(accumulate: int) -> nn.Sequential:
        model = nn.MLP(sizes)
        model.compile(loss="mse", optimizer=nn.SGD(lr=1e-3, momentum=0.9), accumulate=accumulate)
        return model

    model, twin = compiled(batches), compiled(1)
    with nn.runtime.threads(threads):
        history = model.fit(X, y, epochs=10**9, batch_size=batch_size // batches, max_time=SHORT, **fit)
    epochs, rest = where(history)
    all_steps = -(-n // batch_size)
    assert history.epoch == list(range(epochs))
    assert position(model) == (epochs, rest, all_steps if rest else 0)
    if epochs:
        twin.fit(X, y, epochs=epochs, batch_size=batch_size, **fit)
    if rest:
        twin.fit(X[: rest * batch_size], y[: rest * batch_size], batch_size=batch_size, **fit)
    computed, expected = training_state(model), training_state(twin)
    steps = epochs * all_steps + rest
    assert computed.pop("counters")[[0, 2]].tolist() == expected.pop("counters")[[0, 2]].tolist() == [steps, steps]
    assert_same_bits(computed, expected)


def test_an_epoch_of_many_seconds_is_not_waited_for() -> None:
    n = 5_000_000
    X, y = np.broadcast_to(np.ones(8, "float32"), (n, 8)), np.broadcast_to(np.float32(0.5), n)
    model = nn.MLP([8, 64, 64, 1])
    model.compile("mse", nn.SGD(lr=1e-3))
    epoch, steps = where(model.fit(X, y, batch_size=1, shuffle=False, max_time=0.2, verbose=0))
    assert epoch == 0
    assert 0 < steps < n
    assert position(model) == (0, steps, n)


def slow(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    time.sleep(0.02)
    return own_mse(y_pred, y)


def test_a_later_fit_goes_on_from_that_step(rng: np.random.Generator) -> None:
    X, y = data(rng, ROWS)
    model, twin = scheduled(loss=slow), regressor(optimizer=nn.Adam())
    epochs, rest = where(model.fit(X, y, epochs=99, max_time=0.03, **FIT))
    assert position(model) == (epochs, rest, STEPS if rest else 0)
    begin = epochs + rest / STEPS
    model.compiled.optimizer.lr = RATE  # type: ignore[union-attr]
    model.fit(X, y, epochs=2, **FIT)
    assert position(model) == (begin + 2, 0, 0)
    if epochs:
        replay(twin, X, y, np.concatenate([RATE.values(epoch, STEPS) for epoch in range(epochs)]))
    order = internals.begin_epoch(twin, ROWS, True) if rest else np.empty(0)
    for step in range(rest):
        twin.optimizer.lr = RATE.values(epochs, STEPS)[step]  # type: ignore[union-attr]
        twin.loss_and_grads(X[order[5 * step : 5 * step + 5]], y[order[5 * step : 5 * step + 5]])
        twin.step()
    replay(twin, X, y, np.concatenate([RATE.values(begin, STEPS), RATE.values(begin + 1, STEPS)]))
    assert_same_weights(model, twin)


@pytest.mark.parametrize("known", [True, False], ids=["of known length", "of unknown length"])
def test_batches_end_after_a_whole_step(rng: np.random.Generator, known: bool) -> None:
    X, y = draw(rng)
    given = cut(X, y)
    model, twin = network(), network()
    history = model.fit(given if known else lambda: iter(given), epochs=10**9, max_time=SHORT, verbose=0)
    epochs, rest = where(history)
    assert history.epoch == list(range(epochs))
    if known:
        assert position(model) == (epochs, rest, len(given) if rest else 0)
    for epoch in range(epochs + 1):
        if steps := len(given) if epoch < epochs else rest:
            twin.fit(given[:steps], verbose=0)
    computed, expected = training_state(model), training_state(twin)
    assert computed.pop("counters")[0] == expected.pop("counters")[0] == epochs * len(given) + rest
    assert_same_bits(computed, expected)


class Watch(nn.Callback):
    """Sets a deadline as an epoch begins, and writes down what is called."""

    def __init__(self, epoch: int, seconds: float) -> None:
        self.at, self.seconds, self.calls = epoch, seconds, list[Any]()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("begin", epoch))
        if epoch == self.at:
            self.deadline = time.monotonic() + self.seconds

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("end", epoch))

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append(("train end",))

    def close(self) -> None:
        self.calls.append(("closed",))


def test_a_callback_of_ones_own_can_set_the_deadline(rng: np.random.Generator) -> None:
    """The epoch that is cut off has no end, no record and no validation."""
    X, y = data(rng, ROWS)
    model, watch = regressor(), Watch(1, 0)
    early = nn.EarlyStopping(patience=99)
    history = model.fit(X, y, epochs=9, validation_data=(X, y), callbacks=[watch, early], **FIT)
    assert watch.calls == [("begin", 0), ("end", 0), ("begin", 1), ("train end",), ("closed",)]
    assert history.stop_reason == "Watch before epoch 1"
    assert history.epoch == [0]
    assert model.stop_training
    assert early.best == model.evaluate(X, y)["loss"]


def test_a_limit_that_is_over_at_once_trains_nothing(rng: np.random.Generator) -> None:
    X, y = data(rng)
    model, limit = regressor(), nn.TimeLimit(1e-9)
    before = training_state(model)
    history = model.fit(X, y, epochs=3, callbacks=limit, verbose=0)
    assert (history.stop_reason, history.epoch) == ("TimeLimit before epoch 0", [])
    assert_same_bits(training_state(model), before)
    limit.seconds = 1e6  # acts on the next fit, which is not stopped
    assert model.fit(X, y, epochs=3, callbacks=limit, max_time=1e300, verbose=0).stop_reason == "all epochs done"
    assert not model.stop_training


def test_weights_that_the_last_step_spoils_are_noticed(rng: np.random.Generator) -> None:
    """No later loss tells of them: the time was over."""
    X, y = data(rng)
    model, watch = regressor(), Watch(0, 0.3)

    def loss(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        time.sleep(max(0, watch.deadline + 0.2 - time.monotonic()))  # the core's clock was asked a little later
        return 1.0, np.full_like(y_pred, 1e300)

    model.compile(loss, nn.SGD(lr=1e300))
    before = model.state_dict()
    with pytest.raises(nn.DivergenceError) as caught:
        model.fit(X, y, batch_size=2, callbacks=watch, verbose=0)
    assert caught.value.step == 1
    assert_same_bits(model.state_dict(), before)
    assert watch.calls == [("begin", 0), ("closed",)]


@pytest.mark.parametrize(
    ("seconds", "error", "message"),
    [
        (0, ValueError, r"is 0; give a finite number in \(0, inf"),
        (-1.0, ValueError, "is -1.0; give a finite number"),
        (math.inf, ValueError, "is inf; give a finite number"),
        (math.nan, ValueError, "is nan; give a finite number"),
        ("60", TypeError, "is '60'; give a number"),
    ],
)
def test_what_is_no_time_is_refused(seconds: Any, error: type[Exception], message: str) -> None:
    model = regressor()
    with unchanged(model), pytest.raises(error, match=rf"\[fit\] max_time {message}"):
        model.fit(np.ones((4, 4)), np.ones((4, 2)), max_time=seconds, verbose=0)
    with pytest.raises(error, match=rf"\[TimeLimit\] seconds {message}"):
        nn.TimeLimit(seconds)
