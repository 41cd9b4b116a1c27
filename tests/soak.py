"""What a process does for months, over and over: nothing that it takes each time may stay.

``python tests/soak.py`` does it in full, as nox -s soak does; ``python tests/soak.py 0.1`` a tenth of it, as
tests/robustness/test_memory.py does. It prints a line for each kind of calls, and at last what is left of all.
"""

import contextlib
import copy
import gc
import io
import itertools
import os
import pathlib
import pickle
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np

import internals
import nnext as nn
from wrong_calls import LABELS, WRONG, N, Subject, X, fails

MB = 2**20
FEWER = {"MiB": 1, "descriptors": 1, "threads": 1, "objects": 100}  # than this may be left; an import leaves objects
FEW, MANY = np.tile(X, (4, 1)), np.tile(X, (2000, 1))
ONE_HOT = np.eye(3)[LABELS]
FIT = {"batch_size": 6, "verbose": 0}
STEPS, LENGTHS = np.tile(X, (1, 3)).reshape(N, 3, 4), LABELS + 1
SEQUENCES = [sequence[:length] for sequence, length in zip(STEPS, LENGTHS, strict=True)]
Call = Callable[[], object]


def resident() -> int:
    """Return how many bytes of this process are in memory, by the kernel's exact count."""
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Rss:"))


def held() -> dict[str, int]:
    """Return how many there are of what a process can run out of, and Python's objects."""
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
        "objects": len(gc.get_objects()),
    }


def compiled(optimizer: nn.optimizers.Optimizer | None = None, **settings: object) -> nn.Sequential:
    model = nn.Sequential([nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.1), nn.Linear(5, 3)], seed=1)
    model.compile("cross_entropy", optimizer or nn.Adam(), metrics="accuracy", **settings)
    return model


class Calls:
    """The calls of each kind; those of a kind are made in turn."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.path = folder, folder / "model.safetensors"
        self.model = compiled()
        self.model.fit(X, LABELS, **FIT)
        self.model.save(self.path)
        self.wide = nn.Sequential(nn.Linear(4, 256), nn.ReLU(), nn.Linear(256, 3))
        self.wide.compile("cross_entropy")
        self.recurrent = nn.Sequential(nn.LSTM(4, 5), nn.Linear(5, 3))
        self.recurrent.compile("cross_entropy", metrics="accuracy")

    def kinds(self) -> dict[str, tuple[int, list[Call]]]:
        """Return how often a kind is called, and its calls."""
        wrong = [lambda name=name: fails(Subject(self.model, self.folder), name) for name in WRONG]
        return {
            "predictions": (100_000, self.predictions()),
            "fits": (1_000, self.fits()),
            "failing calls": (10_000, [*wrong, self.refused_file, self.failing_callback, self.failing_batches]),
            "files and copies": (2_000, [self.saved, self.in_memory, self.pickled, self.sliced]),
            "compilations": (1_000, [self.compiled_again, self.frozen, self.built]),
            "sequences": (1_000, self.sequences()),
            "own loops": (1_000, [self.own_loop]),
            "interrupts": (200, [self.interrupted, self.handled]),
            "threads": (1_000, [self.in_a_thread]),
        }

    # ---- Predictions and fits ---------------------------------------------------------------------------------------

    def predictions(self) -> list[Call]:
        model, row = self.model, X[0].astype("float32")
        fast, listed, out = model.compile_inference(), X.tolist(), np.empty((len(FEW), 3), "float32")
        return [
            lambda: model.predict(row),
            lambda: fast(row),
            lambda: model.predict(FEW),
            lambda: model.predict(FEW, out=out),
            lambda: model.predict(np.asfortranarray(FEW)),
            lambda: model.predict(listed),
            lambda: model.predict_classes(FEW),
            lambda: model.predict_proba(row),
            lambda: model.evaluate(X, LABELS),
            lambda: nn.functional.matmul(FEW, FEW, transpose_b=True),
        ]

    def fits(self) -> list[Call]:
        model, stop = self.model, nn.EarlyStopping(patience=1)
        log, keep = nn.CSVLogger(self.folder / "log.csv"), nn.ModelCheckpoint(self.folder / "best")
        averaged, clipped = (
            compiled(ema=0.9, accumulate=2),
            compiled(nn.SGD(lr=nn.Cosine(0.1, epochs=9)), clip_norm=1.0),
        )
        minimized = nn.MLP([4, 5, 3])
        minimized.compile("mse", nn.LBFGS())
        own = nn.MLP([4, 3])
        own.compile(lambda y_pred, y: (float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size))
        return [
            lambda: model.fit(X, LABELS, epochs=2, **FIT),
            lambda: model.fit(X, LABELS, sample_weight=np.ones(N), validation_split=0.5, callbacks=stop, **FIT),
            lambda: model.fit(X, LABELS, validation_data=(X, LABELS), callbacks=[log, keep], **FIT),
            lambda: model.fit(((X, LABELS) for _ in range(3)), verbose=0),
            lambda: averaged.fit(X, LABELS, **FIT),
            lambda: clipped.fit(X, LABELS, **FIT),
            lambda: minimized.fit(X, ONE_HOT, verbose=0),
            lambda: own.fit(X, ONE_HOT, **FIT),
            lambda: self.wide.fit(MANY[:2000], np.resize(LABELS, 2000), batch_size=500, verbose=0),
            lambda: compiled().fit(X, LABELS, **FIT),
        ]

    def sequences(self) -> list[Call]:
        model, predictor = self.recurrent, self.recurrent.compile_inference()
        state = predictor.reset()
        return [
            lambda: model.predict(STEPS, lengths=LENGTHS),
            lambda: model.predict(SEQUENCES),
            lambda: model.evaluate(SEQUENCES, LABELS),
            lambda: model.fit(nn.padded(SEQUENCES), LABELS, validation_split=0.5, **FIT),
            lambda: model.fit(SEQUENCES, LABELS, sample_weight=np.ones(N), validation_data=(SEQUENCES, LABELS), **FIT),
            lambda: predictor.step(X[0], state),
            lambda: predictor.step(X[0].tolist(), copy.copy(state)),
            self.refused_sequences,
        ]

    def refused_sequences(self) -> None:
        for lengths in (LENGTHS + 1, LENGTHS[:3], -LENGTHS):
            with contextlib.suppress(ValueError):
                self.recurrent.predict(STEPS, lengths=lengths)
        predictor = self.recurrent.compile_inference()
        for x, state in ((X[0, :3], None), (X[0], self.recurrent.compile_inference().reset())):
            with contextlib.suppress(ValueError):
                predictor.step(x, state)

    def own_loop(self) -> None:
        model = self.model
        model.loss_and_grads(X, LABELS)
        model.step()
        model.backward(model.forward(X))
        model.load_state_dict(model.state_dict())

    def in_a_thread(self) -> None:
        """Predict rows in a thread, which has an arena of its own for them."""
        thread = threading.Thread(target=lambda: [self.model.predict(X[0]), self.model.predict(FEW)])
        thread.start()
        thread.join()

    # ---- Failures ---------------------------------------------------------------------------------------------------

    def refused_file(self) -> None:
        data = self.path.read_bytes()
        with contextlib.suppress(nn.ModelFormatError):
            nn.load(io.BytesIO(data[:-1] + bytes([data[-1] ^ 1])))

    def failing_callback(self) -> None:
        with contextlib.suppress(ZeroDivisionError):
            self.model.fit(X, LABELS, callbacks=nn.LambdaCallback(on_epoch_end=lambda *_: 1 / 0), **FIT)

    def failing_batches(self) -> None:
        def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            yield X, LABELS
            raise LookupError

        with contextlib.suppress(LookupError):
            self.model.fit(batches(), verbose=0)

    # ---- Files, copies, settings ------------------------------------------------------------------------------------

    def saved(self) -> None:
        self.model.save(self.path)
        nn.load(self.path).predict(X)

    def in_memory(self) -> None:
        file = io.BytesIO()
        self.model.save(file)
        nn.load(io.BytesIO(file.getvalue()))

    def pickled(self) -> None:
        pickle.loads(pickle.dumps(self.model)).predict(X)

    def sliced(self) -> None:
        part = self.model[:2]
        part.compile("mse", nn.SGD())
        part.fit(X, np.zeros((N, 5)), **FIT)

    def compiled_again(self) -> None:
        self.wide.compile("cross_entropy", nn.SGD(momentum=0.5), metrics=["f1", "accuracy"])
        self.wide.predict(FEW)

    def frozen(self) -> None:
        self.model.freeze("0")
        self.model.unfreeze("0")

    def built(self) -> None:
        nn.MLP([4, 50, 50, 3], dropout=0.1).predict(X)

    # ---- Signals ----------------------------------------------------------------------------------------------------

    def interrupted(self) -> None:
        """Be told to stop in the middle of a fit that would take minutes."""
        with after(0.005, interrupt), contextlib.suppress(KeyboardInterrupt):
            self.wide.fit(MANY, np.resize(LABELS, len(MANY)), epochs=1000, verbose=0)

    def handled(self) -> None:
        """Predict in the middle of a prediction."""
        with after(0.005, lambda *_: self.wide.predict(FEW)):
            self.wide.predict(MANY)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def after(seconds: float, handler: Callable[..., object]) -> Iterator[None]:
    """Call this handler of a signal within, after so long."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def repeat(calls: list[Call], times: int) -> None:
    for call in itertools.islice(itertools.cycle(calls), times):
        call()
    gc.collect()


def soak(calls: Calls, share: float) -> tuple[str, dict[str, float]]:
    """Make all calls; return how many, and what is left of them."""
    kinds = {kind: (max(len(each), int(times * share)), each) for kind, (times, each) in calls.kinds().items()}
    for times, each in kinds.values():  # what comes once: caches, arenas, the team
        repeat(each, max(10 * len(each), times // 4))
    before, memory = held(), resident()
    for kind, (times, each) in kinds.items():
        here = resident()
        repeat(each, times)
        print(f"{times:,} {kind}: {(resident() - here) / MB:+.2f} MiB", flush=True)
    grown, after = (resident() - memory) / MB, held()
    made = ", ".join(f"{times:,} {kind}" for kind, (times, _) in kinds.items())
    return made, {"MiB": grown, **{name: after[name] - before[name] for name in before}}


def main(share: float = 1.0) -> int:
    """Soak, print the figure, and return 1 where something has grown or is left."""
    warnings.simplefilter("ignore")
    internals.fix_team()
    nn.runtime.set_num_threads(2)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        made, left = soak(Calls(pathlib.Path(folder)), share)
    rest = ", ".join(f"{number:.2g} {name}" for name, number in left.items())
    print(f"soak: {made}, after which {rest} are left, {(time.monotonic() - began) / 60:.0f} min")
    return int(any(left[name] >= limit for name, limit in FEWER.items()))


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
