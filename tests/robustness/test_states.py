"""A copy of a training is of one moment, and a fit of one compilation, whatever other threads do meanwhile."""

from collections.abc import Iterator

import numpy as np
import pytest

import nnext as nn
from support import assert_same_bits, run_python

# Each training begins anew, with sums of 0, and makes one step, after which averages are the parameters.
COMPILE = """
import threading, time
import numpy as np
import nnext as nn

model, X = nn.MLP([50, 40, 2]), np.ones((4, 50), "float32")
model.compile("mse", "sgd")
ways = [("sgd", None), ("adam", 0.9), ("rmsprop", 0.5), ("adam", None), ("sgd", 0.9)]
ended, failed = threading.Event(), []

def train():
    try:
        while not ended.is_set():
            for optimizer, ema in ways:
                model.compile("mse", optimizer, ema=ema)
                model.fit(X, X[:, :2], batch_size=4, verbose=0)
    except BaseException as error:
        failed.append(error)

def look():
    state = model.engine.state()
    steps = {steps for steps, _ in state.progress.values()}
    counts = {len(sums) for sums in state.optimizer.values()}
    assert len(steps) == len(counts) == 1, (steps, counts)
    (step,), (count,) = steps, counts
    assert step in (0, 1)
    if step == 0:
        assert not any(array.any() for sums in state.optimizer.values() for array in sums)
    if state.averages:
        assert step == 1
        assert all((average == state.tensors[path]).all() for path, average in state.averages.items())
    return step, count, bool(state.averages)

thread = threading.Thread(target=train)
thread.start()
seen, end, looks = set(), time.monotonic() + 30, 0
try:
    while (len(seen) < 8 or looks < 3000) and not failed and time.monotonic() < end:
        seen.add(look())
        looks += 1
finally:
    ended.set()
    thread.join()
assert not failed, failed
assert len(seen) == 8, seen
"""


def test_a_state_is_of_one_moment_beside_a_thread_that_compiles_and_trains() -> None:
    result = run_python(COMPILE)
    assert result.returncode == 0, result.stderr


class CompilesAnew:
    """Callbacks that another thread seems to look at: meanwhile the model is compiled with another optimizer."""

    def __init__(self, model: nn.Sequential) -> None:
        self.model = model

    def __iter__(self) -> Iterator[nn.Callback]:
        self.model.compile("mse", nn.SGD(lr=0.1))
        return iter(())


def test_a_fit_does_not_go_on_with_what_was_compiled_before() -> None:
    model = nn.MLP([4, 2])
    model.compile("mse", nn.Adam())
    before = model.state_dict()
    with pytest.raises(RuntimeError, match=r"^\[fit\] the model was compiled anew while .*; call fit again"):
        model.fit(np.ones((8, 4)), np.ones((8, 2)), callbacks=CompilesAnew(model), verbose=0)  # type: ignore[arg-type]
    assert_same_bits(model.state_dict(), before)
    model.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)


def test_a_callback_cannot_compile_the_model_that_it_is_trained_with() -> None:
    model = nn.MLP([4, 2])
    model.compile("mse", nn.SGD(lr=0.1, momentum=0.5))
    compile_it = nn.LambdaCallback(on_epoch_end=lambda *_: model.compile("mse", "adam"))
    with pytest.raises(RuntimeError, match=r"^\[compile\] a fit of this model is in progress"):
        model.fit(np.ones((8, 4)), np.ones((8, 2)), epochs=2, callbacks=[compile_it], verbose=0)
    assert repr(model.optimizer) == "SGD(lr=0.1, momentum=0.5)"
    model.compile("mse", "adam")
    model.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
