"""The demo: learn to read handwritten digits, then show how well and how fast."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import nnext as nn
from nnext import datasets, metrics, reference, runtime

SIZES = (64, 64, 10)
LR = 5e-3
BATCH = 32  # NumPy's BLAS starts no threads for products this small: both sides of the comparison are at their best
ROUNDS, SECONDS = 3, 4.0  # of the comparison, at most
AGREEMENT = 1e-3  # of the losses, relative: float32 rounding, which some thousand steps of Adam may amplify

Array = npt.NDArray[Any]


def run(epochs: int, out: str | os.PathLike[str] | None) -> int:
    """Train, test, compare with NumPy, draw.

    Parameters
    ----------
    epochs : int
    out : path or None
        The picture of the learning curves; None for none.

    Returns
    -------
    int
        The exit code: 1 when the losses disagree or the picture cannot be written.
    """
    X, y = datasets.load_digits()
    X_train, X_test, y_train, y_test = datasets.train_test_split(X / 16, y)
    threads = runtime.get_num_threads()
    _title(f"nnext {nn.__version__}, {runtime.isa()}, {threads} {'thread' if threads == 1 else 'threads'}")
    print(f"{len(X_train):,} handwritten digits to learn from, {len(X_test)} held out for the test")
    print(f"{'-'.join(map(str, SIZES))}, ReLU, cross-entropy, Adam lr={LR}, batches of {BATCH}, {epochs} epochs\n")

    model = nn.MLP(SIZES)
    model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=LR), metrics=["accuracy"])
    # The curves may show the test digits as validation: nothing is chosen by them.
    history = model.fit(X_train, y_train, epochs=epochs, batch_size=BATCH, validation_data=(X_test, y_test))
    _show_test(y_test, model.predict_classes(X_test))
    agreed = _show_speed(X_train, y_train, epochs)
    return int(not agreed) if out is None else max(int(not agreed), _draw(history, out))


# ---- how well ------------------------------------------------------------------------------------------------------


def _show_test(y_true: Array, y_pred: Array) -> None:
    precision = metrics.precision(y_true, y_pred, average=None)
    recall = metrics.recall(y_true, y_pred, average=None)
    confusion = metrics.confusion_matrix(y_true, y_pred, labels=range(10))
    _title(f"\nTest on {len(y_true)} digits that the network has not seen")
    print(f"accuracy {metrics.accuracy(y_true, y_pred):.4f}")
    print(f"precision {precision.mean():.4f}, recall {recall.mean():.4f}: means over the ten digits\n")
    print("digit  precision  recall   read as" + "".join(f"{digit:4}" for digit in range(10)))
    for digit, counts in enumerate(confusion):
        cells = (_cell(count, digit == column) for column, count in enumerate(counts))
        print(f"{digit:5}  {precision[digit]:9.3f}  {recall[digit]:6.3f}          {''.join(cells)}")


def _cell(count: int, right: bool) -> str:
    if count == 0:
        return _paint("   .", "2")  # dim
    return _paint(f"{count:4}", "32" if right else "1;31")  # green, bold red


# ---- how fast ------------------------------------------------------------------------------------------------------


@dataclass
class _Speed:
    """Seconds of each training, and the losses, which are the same in every round."""

    fast: list[float]
    plain: list[float]
    fast_loss: list[float]
    plain_loss: list[float]

    @property
    def disagreement(self) -> float:
        fast, plain = np.array(self.fast_loss), np.array(self.plain_loss)
        return float(np.max(np.abs(fast - plain) / np.abs(plain)))


def _measure(X: Array, y: Array, epochs: int) -> _Speed:
    """Train from the same start, with nnext and with NumPy in turn. Only the training is timed."""
    speed = _Speed([], [], [], [])
    while len(speed.fast) < ROUNDS and sum(speed.plain) < SECONDS:
        model = nn.MLP(SIZES)
        model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=LR))
        network = reference.Network.from_model(model, "cross_entropy", reference.Adam(lr=LR))
        started = time.perf_counter()
        speed.fast_loss = model.fit(X, y, epochs=epochs, batch_size=BATCH, verbose=0).history["loss"]
        between = time.perf_counter()
        speed.plain_loss = network.fit(X, y, epochs, BATCH)["loss"]
        speed.fast.append(between - started)
        speed.plain.append(time.perf_counter() - between)
    return speed


def _show_speed(X: Array, y: Array, epochs: int) -> bool:
    _title("\nSpeed beside plain NumPy: same start weights, batches and optimizer")
    sys.stdout.flush()
    speed = _measure(X, y, epochs)
    samples, fast, plain = epochs * len(X), min(speed.fast), min(speed.plain)
    print(f"nnext            {samples / fast:9,.0f} samples/s")
    print(f"NumPy reference  {samples / plain:9,.0f} samples/s")
    rounds = f"best of {len(speed.fast)} rounds of {epochs} epochs" if len(speed.fast) > 1 else f"{epochs} epochs"
    print(f"{plain / fast:.1f} times as fast ({rounds})")
    agreed = speed.disagreement <= AGREEMENT
    verdict = "agree" if agreed else "DISAGREE, which is a bug: please report it with `python -m nnext info`"
    print(f"the losses of all epochs {verdict} (largest relative difference {speed.disagreement:.1g})")
    return agreed


# ---- the picture ---------------------------------------------------------------------------------------------------


def _draw(history: nn.History, out: str | os.PathLike[str]) -> int:
    try:
        history.plot(out)
    except ImportError:
        print('\nlearning curves: left out, they need matplotlib; pip install "nnext-learn[plot]"')
    except (OSError, ValueError) as error:
        print(f"[demo] the learning curves cannot be written: {error}; choose another file with --out", file=sys.stderr)
        return 1
    else:
        print(f"\nlearning curves: {os.fspath(out)}")
    return 0


def _title(text: str) -> None:
    print(_paint(text, "1"))


def _paint(text: str, code: str) -> str:
    """Colour a text, on terminals of people who want it (https://no-color.org)."""
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
