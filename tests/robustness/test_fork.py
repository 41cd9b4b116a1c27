# Longer than most: half of it are the programs that run in processes of their own.
"""Forked and spawned processes predict and train, with the same bits; none of them hangs."""

import multiprocessing
import os
import pathlib
import subprocess
import sys

import pytest

from support import environment, run_python

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork"),
    pytest.mark.resources,
]

# What all scripts begin with. A child that hangs is killed by its alarm, and its status tells.
BEGIN = """
import os, signal, sys, threading, time, warnings
import numpy as np
import internals
import nnext as nn

internals.fix_team()
nn.runtime.set_num_threads(3)
SIZES, BATCH = [64, 256, 4], 64  # a step for two threads, predictions for three
rng = np.random.default_rng(0)
X = rng.normal(size=(20 * BATCH, 64)).astype("float32")
y = rng.normal(size=(20 * BATCH, 4)).astype("float32")
FIT = {"batch_size": BATCH, "shuffle": False, "verbose": 0}

def compiled():
    model = nn.MLP(SIZES)
    model.compile(loss="mse", optimizer=nn.Adam(lr=1e-3))
    return model

def bits(model):
    return internals.state_bytes(model) + repr(internals.counters(model)).encode()

def trained():
    model = compiled()
    model.fit(X, y, epochs=2, **FIT)
    return bits(model), model.predict(X).tobytes()

def in_child(test):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(20)
            test()
            status = 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
"""


def run(code: str, *options: str) -> None:
    result = run_python(BEGIN + code, *options)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_forks_while_the_team_is_idle() -> None:
    # -W error: Python 3.12 and later warn of a fork with other threads. The team has none left then.
    run(
        """
expected = trained()

def test():
    assert trained() == expected

for i in range(60):
    if i % 3 == 0:
        assert trained() == expected  # the parent goes on, too
    in_child(test)
""",
        "-W",
        "error",
    )


def test_a_child_of_a_child() -> None:
    run(
        """
expected = trained()

def test(depth=3):
    assert trained() == expected
    if depth:
        in_child(lambda: test(depth - 1))
    assert trained() == expected

test()
"""
    )


# The model is in training in another thread: the child has it after a whole step, and may do anything with it.
FORK_DURING_FIT = """
warnings.simplefilter("ignore")  # of Python 3.12 and later: a fork while there are threads
model = compiled()
turn = threading.Semaphore(0)  # an epoch for each fork

class Wait(nn.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        turn.acquire()

def replay(steps):
    again = compiled()
    epochs, rest = divmod(steps, len(X) // batch)
    if epochs:
        again.fit(X, y, epochs=epochs, **FIT)
    if rest:
        again.fit(X[: rest * batch], y[: rest * batch], **FIT)
    return again

def test():
    steps = internals.counters(model)[0]
    again = replay(steps)
    # Only in the fit's own bookkeeping may the two differ: an epoch that has begun.
    assert model.predict(X).tobytes() == again.predict(X).tobytes()
    assert [a.tobytes() for a in model.state_dict().values()] == [a.tobytes() for a in again.state_dict().values()]
    model.fit(X, y, **FIT)
    again.fit(X, y, **FIT)
    assert model.predict(X).tobytes() == again.predict(X).tobytes()
    loss, gradients = model.loss_and_grads(X[:BATCH], y[:BATCH])
    model.step()

batch = FIT["batch_size"] = BATCHES
thread = threading.Thread(target=lambda: model.fit(X, y, epochs=FORKS, callbacks=[Wait()], **FIT))
thread.start()
for i in range(FORKS):
    turn.release()
    while internals.counters(model)[1] <= i:  # the epoch has begun
        time.sleep(0)
    in_child(test)
thread.join()
again = replay(internals.counters(model)[0])
assert model.predict(X).tobytes() == again.predict(X).tobytes()
"""


@pytest.mark.parametrize(("batch_size", "forks"), [(64, 40), (1280, 20)], ids=["team", "whole set"])
def test_forks_during_a_fit_in_another_thread(batch_size: int, forks: int) -> None:
    run(FORK_DURING_FIT.replace("BATCHES", str(batch_size)).replace("FORKS", str(forks)))


def test_a_fork_during_a_long_step() -> None:
    run(
        """
warnings.simplefilter("ignore")
SIZES = [64, 1024, 1024, 4]
X, y = np.repeat(X, 10, axis=0), np.repeat(y, 10, axis=0)
model = compiled()
before = model.predict(X[:100]).tobytes()
thread = threading.Thread(target=lambda: model.fit(X, y, batch_size=len(X), verbose=0))
thread.start()
while not internals.counters(model)[1]:
    time.sleep(0.001)

def test():
    assert internals.counters(model) == (0, 1, 0)
    assert model.predict(X[:100]).tobytes() == before
    model.fit(X[:BATCH], y[:BATCH], **FIT)

for _ in range(3):
    in_child(test)
    assert thread.is_alive()
thread.join()
"""
    )


def test_forks_while_other_threads_predict() -> None:
    run(
        """
warnings.simplefilter("ignore")
model = compiled()
expected = model.predict(X).tobytes()
stop = False

def predict():
    while not stop:
        assert model.predict(X).tobytes() == expected

threads = [threading.Thread(target=predict) for _ in range(4)]
for thread in threads:
    thread.start()

def test():
    assert model.predict(X).tobytes() == expected
    model.fit(X, y, **FIT)  # waits for no reader of the parent
    nn.functional.matmul(X, X, transpose_b=True)

for _ in range(25):
    in_child(test)
stop = True
for thread in threads:
    thread.join()
"""
    )


def test_a_fork_in_a_callback() -> None:
    run(
        """
expected = trained()

def test():
    assert trained() == expected

class Fork(nn.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        in_child(test)

model = compiled()
model.fit(X, y, epochs=2, callbacks=[Fork()], **FIT)
assert (bits(model), model.predict(X).tobytes()) == expected
"""
    )


def test_a_fork_in_a_handler_while_its_own_thread_waits_to_train() -> None:
    """The child has forgotten the readers of the parent, and its only thread still wants to write."""
    run(
        """
warnings.simplefilter("ignore")
SIZES = [64, 1024, 1024, 4]
model = compiled()
rows = np.repeat(X, 60, axis=0)
expected = compiled()
expected.fit(X[:BATCH], y[:BATCH], **FIT)
reading = threading.Event()
stop = False

def predict():
    while not stop:
        reading.set()
        model.predict(rows)

forks = []

def fork(signum, frame):
    signal.setitimer(signal.ITIMER_REAL, 0)
    forks.append(os.fork())
    if forks[-1] == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)

signal.signal(signal.SIGALRM, fork)
thread = threading.Thread(target=predict)
thread.start()
reading.wait()
time.sleep(0.05)  # the prediction is in the core, for a second
signal.setitimer(signal.ITIMER_REAL, 0.1)
model.fit(X[:BATCH], y[:BATCH], **FIT)
if forks == [0]:
    os._exit(model.predict(X).tobytes() != expected.predict(X).tobytes())
stop = True
thread.join()
assert len(forks) == 1 and os.waitpid(forks[0], 0)[1] == 0
assert model.predict(X).tobytes() == expected.predict(X).tobytes()
"""
    )


# A handler forks within a call of the core, on a team of that many threads; the child leaves the handler in that way.
FORK_IN_A_CALL = """
warnings.simplefilter("ignore")
nn.runtime.set_num_threads(THREADS)
X, y = np.repeat(X, 2, axis=0), np.repeat(y, 2, axis=0)
SIZES = [64, 1024, 1024, 4]
CALLS = {
    "predict": lambda: model.predict(X),
    "evaluate": lambda: np.float64(model.evaluate(X, y)["loss"]),
    "fit": lambda: np.float64(model.fit(X, y, batch_size=len(X), verbose=0).history["loss"]),
    "loss_and_grads": lambda: model.loss_and_grads(X, y)[1]["0.weight"],
    "forward": lambda: model.forward(X),
    "matmul": lambda: nn.functional.matmul(wide, wide, transpose_b=True),
}
wide = np.repeat(X, 64, axis=1)
child = None

def handler(*_):
    global child
    signal.setitimer(signal.ITIMER_REAL, 0)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        LEAVE

def live_on():
    assert model.predict(X[:9]).tobytes() == again.predict(X[:9]).tobytes()
    model.fit(X[:BATCH], y[:BATCH], **FIT)
    again.fit(X[:BATCH], y[:BATCH], **FIT)
    assert bits(model) == bits(again)
    model.predict(X)  # on a team of its own

def fork_within(name, call, expected, after):
    global model, again, child
    model, again, child = compiled(), compiled(), None
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        result = call().tobytes()
        signal.setitimer(signal.ITIMER_REAL, 0)  # within the call, or not at all
    except RuntimeError as error:
        assert child == 0 and THREADS > 1 and "forked in the middle of this call" in str(error), (name, child, error)
        if name == "fit":  # an epoch has begun, and no step of it is done
            again.engine.set_counters(internals.counters(model)[:2])
    else:
        if child == 0 and THREADS > 1:
            os._exit(TOO_EARLY)
        assert result == expected, (name, child)
        if name == "fit":
            again.fit(X, y, batch_size=len(X), verbose=0)
    if child == 0:
        live_on()
        os._exit(0)
    live_on()
    return TOO_EARLY << 8 if child is None else os.waitpid(child, 0)[1]

TOO_EARLY = 9  # in Python's part of the call, or after it
for name, call in CALLS.items():
    model = compiled()
    expected = call().tobytes()
    model, begun = compiled(), time.monotonic()
    call()
    spent, found = time.monotonic() - begun, [TOO_EARLY << 8]
    while found[-1] == TOO_EARLY << 8 and len(found) < 20:
        found.append(fork_within(name, call, expected, spent * (0.5, 0.3, 0.7, 0.2, 0.8)[len(found) % 5]))
    assert found[-1] == STATUS, (name, found)
"""


@pytest.mark.parametrize(("leave", "status"), [("return", 0), ("sys.exit(7)", 7 << 8)], ids=["returns", "exits"])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_fork_in_a_handler_within_a_call(threads: int, leave: str, status: int) -> None:
    """The child lacks the others' shares: it gives the call up at once, at a whole step; alone it does all of it."""
    code = FORK_IN_A_CALL.replace("THREADS", str(threads)).replace("LEAVE", leave).replace("STATUS", str(status))
    run(code)


def test_a_child_that_exits_in_the_ordinary_way_does_so_at_once() -> None:
    """Calls of the parent's other threads are none of its own: it must not wait for them."""
    run(
        """
warnings.simplefilter("ignore")
model = compiled()
stop = False

def predict():
    while not stop:
        model.predict(X)

threads = [threading.Thread(target=predict) for _ in range(4)]
for thread in threads:
    thread.start()
before = time.monotonic()
for _ in range(5):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        stop = True
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
spent = time.monotonic() - before
stop = True
for thread in threads:
    thread.join()
assert spent < 4, spent  # 5 s if each waited
"""
    )


MULTIPROCESSING = """
import multiprocessing

def work(_):
    return trained()

if __name__ == "__main__":
    expected = trained()
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        results = pool.map(work, range(4), chunksize=1)
        assert all(result == expected for result in results)
        pool.close()
        pool.join()
    assert trained() == expected
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing(method: str, tmp_path: pathlib.Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(BEGIN + MULTIPROCESSING)
    result = subprocess.run(
        [sys.executable, script, method], env=environment(), capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 0, result.stderr


def test_forks_while_a_slice_trains_and_others_come_and_go() -> None:
    run(
        """
warnings.simplefilter("ignore")
model = compiled()
features, head = model[:2].predict(X), model[2:]
head.compile(loss="mse", optimizer=nn.Adam(lr=1e-3))
stop = threading.Event()

def train():
    while not stop.is_set():
        head.fit(features, y, **FIT)

def use_slices():
    while not stop.is_set():
        assert model[2:].predict(model[:2].predict(X[:3])).shape == (3, 4)

def test():
    model.fit(X[:BATCH], y[:BATCH], **FIT)
    head.fit(features[:BATCH], y[:BATCH], **FIT)
    assert model[2:].predict(features[:3]).tobytes() == head.predict(features[:3]).tobytes()

threads = [threading.Thread(target=f) for f in (train, use_slices, use_slices)]
for thread in threads:
    thread.start()
for _ in range(20):
    in_child(test)
stop.set()
for thread in threads:
    thread.join()
"""
    )
