"""What is large, not slow: calls that convert, check, draw or copy many numbers let Ctrl-C and other threads through.

Each of them would take seconds; most of its memory is never touched.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import nnext as nn
from interrupts import seconds_after_signal
from nnext import functional

AT_ONCE = 1.0  # seconds: it is some 30 ms where the machine has no other work


def many(value: float, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return that many numbers, which are one in memory."""
    return np.broadcast_to(np.array(value, dtype), shape)


def zeros(*shape: int) -> np.ndarray:
    """Return as many that lie as the core wants them."""
    return np.zeros(shape, "float32")


def compiled(sizes: list[int], loss: str) -> nn.Sequential:
    model = nn.MLP(sizes)
    model.compile(loss=loss)
    return model


def fit(model: nn.Sequential, X: np.ndarray, y: np.ndarray, weight: Any = None) -> None:
    model.fit(X, y, sample_weight=weight, batch_size=1_000_000, verbose=0)


def orthogonal() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2500, 2500, weight_init="orthogonal"))


ROWS, FEW = (10_000_000, 100), (100_000_000, 2)
CALLS: dict[str, Callable[[], Callable[[], object]]] = {
    "start values": lambda: lambda: nn.Sequential(nn.Linear(10_000, 10_000, weight_init="he_normal")),
    "evenly spread start values": lambda: lambda: nn.Sequential(nn.Linear(30_000, 30_000)),
    "orthogonal start values": lambda: orthogonal,
    "predict what must be converted": lambda: partial(nn.MLP([100, 1]).predict, many(1, ROWS, "int16")),
    "predict what must be copied": lambda: partial(nn.MLP([100, 1]).predict, many(0.5, ROWS[::-1], "float32").T),
    "evaluate": lambda: partial(compiled([100, 1], "mse").evaluate, many(1, ROWS, "int16"), zeros(ROWS[0], 1)),
    "fit": lambda: partial(fit, compiled([100, 1], "mse"), many(1, ROWS, "int16"), zeros(ROWS[0], 1)),
    "fit with labels": lambda: partial(
        fit, compiled([2, 3], "cross_entropy"), many(0.5, FEW, "float32"), many(1, FEW[:1], "int64")
    ),
    "fit with weights": lambda: partial(
        fit, compiled([2, 1], "mse"), many(0.5, FEW, "float32"), zeros(FEW[0], 1), many(0.5, FEW[:1], "float32")
    ),
    "a function": lambda: partial(functional.softplus, zeros(800_000_000)),
    "a function of float64": lambda: partial(functional.sigmoid, many(0.5, (1_000_000_000,), "float64")),
    "its gradient": lambda: partial(functional.softplus_grad, zeros(800_000_000), zeros(800_000_000)),
    "softmax": lambda: partial(functional.softmax, zeros(80_000_000, 10)),
    "a loss": lambda: partial(functional.bce_with_logits, zeros(400_000_000, 1), zeros(400_000_000, 1)),
}


@pytest.mark.resources
@pytest.mark.parametrize("name", CALLS)
def test_it_lets_signals_and_threads_through(name: str) -> None:
    call = CALLS[name]()
    ticks = [time.monotonic()]
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.001):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        assert seconds_after_signal(call, after=0.15) < AT_ONCE
    finally:
        done.set()
        thread.join()
    assert max(np.diff(ticks)) < AT_ONCE
