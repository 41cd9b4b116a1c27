"""Ctrl-C ends every call soon, with the model at a whole step.

The promise is 0.1 s. Tests cannot rely on the machine's other work, so they allow SOON: far less than the work takes,
which is 10 s and more.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from interrupts import SOON, seconds_after_signal
from support import assert_same_bits

WIDE = [1, 2048, 2048, 1]  # 8.4 MFLOP a row and few bytes of input


def compiled(sizes: list[int], accumulate: int = 1) -> nn.Sequential:
    model = nn.MLP(sizes)
    model.compile(loss="mse", optimizer=nn.SGD(lr=1e-3, momentum=0.9), accumulate=accumulate)
    return model


def rows(n: int, features: int = 1, dtype: str = "float32") -> np.ndarray:
    return np.linspace(-1, 1, n * features, dtype=dtype).reshape(n, features)


# ---- each call ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_matmul(threads: int) -> None:
    a = np.broadcast_to(rows(1, 100_000), (30_000, 100_000))  # 3 TFLOP, no row of a takes memory
    b = np.broadcast_to(rows(1, 500), (100_000, 500))
    with nn.runtime.threads(threads):
        assert seconds_after_signal(lambda: nn.functional.matmul(a, b)) < SOON


@pytest.mark.parametrize("threads", [1, 2])
def test_predict(threads: int) -> None:
    model, X = nn.MLP(WIDE), rows(400_000)
    with nn.runtime.threads(threads):
        assert seconds_after_signal(lambda: model.predict(X)) < SOON


def test_predict_with_a_layer_that_takes_long_for_a_few_rows() -> None:
    model = nn.Sequential(nn.Linear(1, 4096), *[nn.Linear(4096, 4096, weight_init="zeros") for _ in range(2)])
    X = rows(100_000)
    out = np.empty((len(X), 4096), "float32")
    assert seconds_after_signal(lambda: model.predict(X, out=out)) < SOON


def test_evaluate() -> None:
    model, X = compiled(WIDE), rows(400_000)
    assert seconds_after_signal(lambda: model.evaluate(X, X)) < SOON


@pytest.mark.resources
def test_forward() -> None:
    model, X = compiled(WIDE), rows(400_000)
    assert seconds_after_signal(lambda: model.forward(X, training=False)) < SOON
    with pytest.raises(RuntimeError, match="no forward pass"):
        model.backward(X)


@pytest.mark.resources
def test_loss_and_grads_and_backward() -> None:
    model, X = compiled(WIDE), rows(100_000)  # 2.5 TFLOP
    before = training_state(model)
    assert seconds_after_signal(lambda: model.loss_and_grads(X, X)) < SOON
    with pytest.raises(RuntimeError, match="no gradients"):
        model.grads()
    few = X[:10_000]
    dY = model.forward(few)
    assert seconds_after_signal(lambda: [model.backward(dY) for _ in range(10_000)]) < SOON
    with pytest.raises(RuntimeError, match=r"no gradients|no forward"):
        model.step()
    assert_same_bits(training_state(model), before)


# ---- fit, and where it leaves the model ----------------------------------------------------------------------------


def replay(model: nn.Sequential, X: np.ndarray, y: np.ndarray, batch_size: int, counters: tuple[int, int, int]) -> None:
    """Take as many steps through the samples in their own order, in as many epochs, as another model's counters say."""
    steps, begun, _ = counters
    epochs, rest = divmod(steps, -(-len(X) // batch_size))
    fit = {"batch_size": batch_size, "shuffle": False, "verbose": 0}
    if epochs:
        model.fit(X, y, epochs=epochs, **fit)
    if rest:
        model.fit(X[: rest * batch_size], y[: rest * batch_size], **fit)
    elif begun > epochs:
        internals.begin_epoch(model, 1, False)  # the one that was interrupted before its first step


@pytest.mark.parametrize(
    ("sizes", "n", "batch_size", "batches"),
    [
        pytest.param([8, 16, 4], 60_000, 1, 1, id="short steps"),
        pytest.param([64, 256, 4], 100_000, 64, 1, id="steps for two threads"),
        pytest.param([1, 1024, 1024, 1], 4_096, 1_024, 1, id="long steps"),
        pytest.param([64, 256, 4], 100_000, 96, 3, id="steps of three batches"),
        pytest.param([1, 1024, 1024, 1], 4_096, 1_024, 8, id="long steps of eight"),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_fit_ends_at_a_whole_step(sizes: list[int], n: int, batch_size: int, batches: int, threads: int) -> None:
    """`batch_size` is that of a step, in so many batches."""
    X, y = rows(n, sizes[0]), rows(n, sizes[-1])
    model = compiled(sizes, batches)
    fit = {"epochs": 100_000, "batch_size": batch_size // batches, "shuffle": False, "verbose": 0}
    with nn.runtime.threads(threads):
        ready = lambda: internals.counters(model)[0] >= 3  # noqa: E731
        assert seconds_after_signal(lambda: model.fit(X, y, **fit), ready=ready) < SOON
    steps, _, optimizer_steps = internals.counters(model)
    assert steps == optimizer_steps >= 3
    whole, rest = divmod(steps, -(-n // batch_size))
    assert internals.position(model) == (whole, rest, -(-n // batch_size) if rest else 0)
    again = compiled(sizes)
    replay(again, X, y, batch_size, internals.counters(model))
    assert_same_bits(training_state(model), training_state(again))
    assert model.history is not None
    assert model.history.stop_reason == "KeyboardInterrupt"
    model.fit(X[:batch_size], y[:batch_size], batch_size=batch_size // batches, verbose=0)  # and goes on
    assert internals.counters(model)[0] == steps + 1


def test_a_step_of_many_seconds_is_not_waited_for() -> None:
    model, X = compiled([1, 1024, 1024, 1]), rows(200_000)  # 1.3 TFLOP a step
    before = model.state_dict()
    assert seconds_after_signal(lambda: model.fit(X, X, batch_size=len(X), shuffle=False, verbose=0)) < SOON
    assert_same_bits(model.state_dict(), before)
    assert internals.counters(model)[0] == 0


def test_the_order_of_very_many_samples_is_not_waited_for() -> None:
    model = compiled([1, 1])
    assert seconds_after_signal(lambda: internals.begin_epoch(model, 400_000_000, True), after=0.1) < SOON
    assert internals.counters(model) == (0, 0, 0)


def test_a_fit_with_a_loss_function_of_ones_own() -> None:
    model, X = nn.MLP([1, 512, 512, 1]), rows(20_000)
    model.compile(loss=lambda y_pred, y: (float(np.mean((y_pred - y) ** 2)), 2 * (y_pred - y) / y.size))
    assert seconds_after_signal(lambda: model.fit(X, X, epochs=1000, batch_size=5000, verbose=0)) < SOON
    steps, _, optimizer_steps = internals.counters(model)
    assert steps == optimizer_steps


def test_many_interruptions_leave_no_trace() -> None:
    """Signals at all moments, in Python's part of a fit too: the next fit can always begin."""
    model, X = compiled([4, 8, 1]), rows(64, 4)
    for i in range(60):
        after = 0.0005 * (i % 20)
        assert seconds_after_signal(lambda: model.fit(X, X[:, :1], epochs=100_000, verbose=0), after) < SOON
    model.fit(X, X[:, :1], verbose=0)
    steps, _, optimizer_steps = internals.counters(model)
    assert steps == optimizer_steps


# ---- waiting for others ---------------------------------------------------------------------------------------------


@pytest.mark.resources
def test_waiting_for_another_threads_prediction() -> None:
    model, X = nn.MLP(WIDE), rows(30_000)
    before = model.state_dict()
    thread = threading.Thread(target=model.predict, args=(X,))
    thread.start()
    time.sleep(0.1)
    assert seconds_after_signal(lambda: model.load_state_dict(before), after=0.1) < SOON
    assert thread.is_alive()
    thread.join()
    model.load_state_dict(before)


# ---- signal handlers ------------------------------------------------------------------------------------------------


@pytest.fixture
def handler() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Return a function that sets what happens at SIGUSR1."""
    before = signal.getsignal(signal.SIGUSR1)

    def use(f: Callable[[], object]) -> None:
        def handle(_: int, __: FrameType | None) -> None:
            f()

        signal.signal(signal.SIGUSR1, handle)

    yield use
    signal.signal(signal.SIGUSR1, before)


def test_a_handler_may_predict_with_the_model_in_training(handler: Any) -> None:
    X = rows(20_000, 64)
    model, seen = compiled([64, 256, 1]), []

    def look() -> None:
        seen.append((model.predict(X[:50]), model.state_dict(), internals.counters(model)))
        raise KeyboardInterrupt

    handler(look)
    fit = {"batch_size": 64, "shuffle": False, "verbose": 0}
    assert seconds_after_signal(lambda: model.fit(X, X[:, :1], epochs=100_000, **fit), number=signal.SIGUSR1) < SOON
    [(prediction, state, counters)] = seen
    assert counters == internals.counters(model)
    assert_same_bits(state, model.state_dict())
    assert_same_bits(prediction, model.predict(X[:50]))


def test_a_handler_may_predict_within_a_prediction(handler: Any) -> None:
    model, X = nn.MLP(WIDE), rows(400_000)
    expected, seen = model.predict(X[:50]), []

    def look() -> None:
        seen.append(model.predict(X[:50]))
        raise KeyboardInterrupt

    handler(look)
    assert seconds_after_signal(lambda: model.predict(X), number=signal.SIGUSR1) < SOON
    assert_same_bits(seen[0], expected)


def test_a_handler_cannot_change_the_model_within_a_prediction(handler: Any) -> None:
    model, X = nn.MLP(WIDE), rows(400_000)
    state = model.state_dict()

    def change() -> None:
        with pytest.raises(RuntimeError, match="signal handler cannot change a model in the middle of a prediction"):
            model.load_state_dict(state)
        raise KeyboardInterrupt

    handler(change)
    assert seconds_after_signal(lambda: model.predict(X), number=signal.SIGUSR1) < SOON
    model.load_state_dict(state)


def test_a_handler_cannot_train_the_model_within_a_fit(handler: Any) -> None:
    model, X = compiled([64, 256, 1]), rows(300_000, 64)

    def train() -> None:
        with pytest.raises(RuntimeError, match=r"\[fit\] this model is being trained already"):
            model.fit(X, X[:, :1], verbose=0)
        with pytest.raises(RuntimeError, match=r"\[load_state_dict\] this model is being trained already"):
            model.load_state_dict(model.state_dict())
        raise KeyboardInterrupt

    handler(train)
    began = threading.Event()

    def within_the_epoch() -> bool:  # the only one, of 300,000 steps: between two, weights may be loaded
        began.wait()
        time.sleep(0.1)
        return True

    fit = {"batch_size": 1, "verbose": 0, "callbacks": nn.LambdaCallback(on_epoch_begin=lambda *_: began.set())}
    took = seconds_after_signal(lambda: model.fit(X, X[:, :1], **fit), number=signal.SIGUSR1, ready=within_the_epoch)
    assert took < SOON


def test_a_handler_that_returns_lets_the_call_go_on(handler: Any) -> None:
    model, X = nn.MLP(WIDE), rows(4_000)
    expected, calls = model.predict(X), []
    handler(lambda: calls.append(None))
    timer = threading.Timer(0.03, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    assert_same_bits(model.predict(X), expected)
    timer.join()
    time.sleep(0.05)
    assert len(calls) == 1
