"""A copy of a training is of one moment, whatever other threads do meanwhile."""

from support import run_python

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
