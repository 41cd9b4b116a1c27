"""Any number of threads may predict, also during a fit; one may train."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from internals import training_state
from nnext.callbacks import Callback, LambdaCallback
from support import assert_same_bits, run_python

BUSY = "this model is being trained already"
SIZES, BATCH = [64, 256, 4], 64  # a step for two threads


@pytest.fixture(autouse=True)
def two_threads() -> Any:
    """Let a team work, also on a machine with one CPU."""
    with nn.runtime.threads(2):
        yield


def compiled(sizes: list[int] | None = None, seed: int = 0) -> nn.Sequential:
    model = nn.MLP(sizes or SIZES, seed=seed)
    model.compile(loss="mse", optimizer=nn.Adam(lr=1e-3))
    return model


def data(n: int, sizes: list[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    features, *_, outputs = sizes or SIZES
    return rng.normal(size=(n, features)).astype("float32"), rng.normal(size=(n, outputs)).astype("float32")


def bits(state: dict[str, Any]) -> bytes:
    return b"".join(np.asarray(array).tobytes() for array in state.values())


# ---- predictions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 17, 3000])
def test_sixteen_threads_predict_the_same_bits(n: int) -> None:
    model, (X, _) = compiled(), data(n)
    expected = model.predict(X).tobytes()
    times = 500 if n < 100 else 30
    with ThreadPoolExecutor(16) as pool:
        wrong = pool.map(lambda _: sum(model.predict(X).tobytes() != expected for _ in range(times)), range(16))
        assert sum(wrong) == 0


def test_matmul_in_many_threads() -> None:
    a = np.random.default_rng(0).normal(size=(300, 200))
    expected = nn.functional.matmul(a, a, transpose_b=True).tobytes()
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(lambda _: nn.functional.matmul(a, a, transpose_b=True).tobytes() == expected, range(100))
        assert all(results)


# ---- during a fit ---------------------------------------------------------------------------------------------------


def in_thread(call: Callable[[], object]) -> Any:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call)
    pool.shutdown(wait=False)
    return future


def test_whoever_looks_during_a_fit_sees_the_state_after_a_whole_step() -> None:
    steps, epochs = 50, 20
    X, y = data(steps * BATCH)
    fit: dict[str, Any] = {"batch_size": BATCH, "shuffle": False, "verbose": 0}

    again = compiled()
    predictions, states = [again.predict(X[:30]).tobytes()], [bits(again.state_dict())]
    for i in range(steps * epochs):
        rows = slice(i % steps * BATCH, (i % steps + 1) * BATCH)
        again.fit(X[rows], y[rows], **fit)
        predictions.append(again.predict(X[:30]).tobytes())
        states.append(bits(again.state_dict()))
    assert len(set(predictions)) == len(predictions)

    model = compiled()
    future = in_thread(lambda: model.fit(X, y, epochs=epochs, **fit))
    seen: list[int] = []
    while not future.done():
        seen.append(predictions.index(model.predict(X[:30]).tobytes()))
        seen.append(states.index(bits(model.state_dict())))
        state = training_state(model)
        seen.append(states.index(bits({name: state[name] for name in again.state_dict()})))
        counters = state["counters"]
        assert counters[0] == counters[2] == seen[-1]
    future.result()
    assert seen == sorted(seen)
    assert len(set(seen)) > 10
    assert bits(model.state_dict()) == states[-1]


def test_a_model_saved_during_a_fit_goes_on_as_the_fit_did(tmp_path: Any) -> None:
    X, y = data(40 * BATCH)
    fit: dict[str, Any] = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    model = compiled()
    future = in_thread(lambda: model.fit(X, y, epochs=50, **fit))
    while internals.counters(model)[0] < 10:
        time.sleep(0.001)
    model.save(tmp_path / "m.safetensors")
    future.result()
    loaded = nn.load(tmp_path / "m.safetensors")
    done = internals.counters(loaded)[0]
    assert 10 <= done <= 2000
    rest = -done % 40
    if rest:
        loaded.fit(X[-rest * BATCH :], y[-rest * BATCH :], **fit)
    if done + rest < 2000:
        loaded.fit(X, y, epochs=(2000 - done - rest) // 40, **fit)
    assert_same_bits(loaded.state_dict(), model.state_dict())


def test_predictions_without_end_do_not_stop_a_fit() -> None:
    model, (X, y) = compiled(), data(50 * BATCH)
    done = threading.Event()
    counts = [0] * 8

    def predict(i: int) -> None:
        while not done.is_set():
            model.predict(X[:500])
            counts[i] += 1

    threads = [threading.Thread(target=predict, args=(i,)) for i in range(len(counts))]
    for thread in threads:
        thread.start()
    model.fit(X, y, epochs=4, batch_size=BATCH, verbose=0)
    done.set()
    for thread in threads:
        thread.join()
    assert min(counts) > 0
    again = compiled()
    again.fit(X, y, epochs=4, batch_size=BATCH, verbose=0)
    assert_same_bits(training_state(model), training_state(again))


def test_fits_of_several_models_at_once() -> None:
    """The team is one fit's at a time; the others find fewer members than they asked for."""
    X, y = data(20 * BATCH)

    def trained(seed: int) -> dict[str, Any]:
        model = compiled(seed=seed)
        model.fit(X, y, epochs=10, batch_size=BATCH, verbose=0)
        loss, gradients = model.loss_and_grads(X, y)
        return training_state(model) | {"loss": np.array(loss)} | {f"d{name}": g for name, g in gradients.items()}

    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(trained, range(6)))
    for seed, state in enumerate(together):
        assert_same_bits(state, trained(seed))


# A deadlock is ended by the alarm: whoever waits here with Python's lock held waits for those who want it.
ONE_ROW_AMONG_OTHERS = """
import signal, threading, time
import numpy as np
import nnext as nn

signal.alarm(60)
nn.runtime.set_num_threads(1)
model = nn.MLP([1, 2048, 2048, 1])
X, state = np.ones((40_000, 1), "float32"), model.state_dict()
expected = model.predict(X[:1])
reads = threading.Thread(target=model.predict, args=(X,))
writes = threading.Thread(target=model.load_state_dict, args=(state,))
reads.start()
time.sleep(0.1)
writes.start()
time.sleep(0.05)
assert reads.is_alive() and writes.is_alive()
assert model.predict(X[:1]) == expected
reads.join(), writes.join()
print("no deadlock")
"""


@pytest.mark.resources
def test_one_row_behind_a_writer_that_waits_for_a_long_prediction() -> None:
    result = run_python(ONE_ROW_AMONG_OTHERS)
    assert (result.returncode, result.stdout) == (0, "no deadlock\n"), result.stderr


# ---- one trains ------------------------------------------------------------------------------------------------------


def test_a_second_fit_raises() -> None:
    model, (X, y) = compiled(), data(BATCH)
    entered, leave = threading.Event(), threading.Event()

    def wait(*_: Any) -> None:
        entered.set()
        leave.wait()

    callback = LambdaCallback(on_epoch_begin=wait)
    future = in_thread(lambda: model.fit(X, y, batch_size=BATCH, callbacks=[callback], verbose=0))
    entered.wait()
    with pytest.raises(RuntimeError, match=rf"\[fit\] {BUSY}; wait until that ends, or train a second model"):
        model.fit(X, y, verbose=0)
    model.predict(X)
    leave.set()
    future.result()
    assert internals.counters(model) == (1, 1, 1)
    model.fit(X, y, batch_size=BATCH, verbose=0)
    assert internals.counters(model) == (2, 2, 2)


def test_a_fit_within_its_own_callback_raises() -> None:
    class Again(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.fit(*data(BATCH), verbose=0)

    model, (X, y) = compiled(), data(BATCH)
    with pytest.raises(RuntimeError, match=BUSY):
        model.fit(X, y, callbacks=[Again()], verbose=0)
    model.fit(X, y, verbose=0)


def test_nothing_changes_the_model_during_an_epoch() -> None:
    sizes = [1, 1024, 1024, 1]
    model, (X, y) = compiled(sizes), data(12_000, sizes)
    future = in_thread(lambda: model.fit(X, y, batch_size=len(X), shuffle=False, verbose=0))
    few = X[:2], y[:2]
    operations: dict[str, Callable[[], object]] = {
        "load_state_dict": lambda: model.load_state_dict(model.state_dict()),
        "compile": lambda: model.compile(loss="mse"),
        "freeze": lambda: model.freeze("0"),
        "forward": lambda: model.forward(few[0]),
        "backward": lambda: model.backward(few[1]),
        "loss_and_grads": lambda: model.loss_and_grads(*few),
        "grads": model.grads,
        "step": model.step,
    }
    while not internals.counters(model)[1]:
        time.sleep(0.001)
    for name, operation in operations.items():
        with pytest.raises(RuntimeError, match=rf"\[{name}\] {BUSY}"):
            operation()
    assert not future.done()
    future.result()
    again = compiled(sizes)
    again.fit(X, y, batch_size=len(X), shuffle=False, verbose=0)
    assert_same_bits(training_state(model), training_state(again))


# ---- the team -------------------------------------------------------------------------------------------------------

COUNT_THREADS = """
import os
import internals
import numpy as np
import nnext as nn
count = lambda: len(os.listdir("/proc/self/task"))
internals.fix_team()
nn.runtime.set_num_threads(4)
model, X = nn.MLP([100, 200, 10]), np.ones((2000, 100), "float32")
before = count()
model.predict(X[:1])
small = count() - before
model.predict(X)
model.predict(X)
print(small, count() - before)
"""


@pytest.mark.resources
def test_the_team_starts_when_it_is_needed() -> None:
    result = run_python(COUNT_THREADS)
    assert result.stdout == "0 3\n", result.stderr
