"""What save writes, load reads, and it goes on with the same bits; or save raises and the old file stays.

Every layer with every loss, optimizer and metric, in every state that a model can be in.
"""

import contextlib
import pathlib
import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import nnext as nn
from cases import EVERY_OPTIMIZER, WITH_RATES
from internals import frozen, training_state
from layer_cases import LAYERS
from loss_cases import LOSSES, LossCase

ROWS, OUTPUTS = 12, 3

pytestmark = pytest.mark.filterwarnings(
    "ignore:(overflow|invalid value):RuntimeWarning"
)  # in functions, when it diverges


def own_loss(y_pred: Any, y: Any) -> tuple[float, Any]:
    """Return half the squared error, and its gradient."""
    d = y_pred - np.asarray(y).reshape(len(y), -1)
    return float((d**2).sum() / 2), d


def own_metric(y_true: Any, y_pred: Any) -> float:
    return float(np.nan_to_num(y_pred).max())


LOSS_NAMES = [*LOSSES, "own"]
METRICS: dict[str, Callable[[LossCase], list[Any]]] = {
    "none": lambda case: [],
    "nnext's": lambda case: ["mse" if case.is_mean else "accuracy"],
    "own": lambda case: [own_metric],
}


class Task:
    """A model with data that suit it."""

    def __init__(self, layer: str, loss: str, optimizer: str, metrics: str, dtype: str) -> None:
        first, case = LAYERS[layer], LOSSES.get(loss, LOSSES["mse"])
        last = [nn.Sigmoid()] if case.name == "bce" else [] if case.last_layer is None else [case.last_layer]
        self.model = nn.Sequential(first.layer, *first.head(OUTPUTS), *last, seed=9, dtype=dtype)
        rng = np.random.default_rng(len(layer) + len(loss))
        self.X, self.y = first.suitable(rng.normal(size=(ROWS, *first.shape))), case.targets(rng, ROWS, OUTPUTS)
        chosen = own_loss if loss == "own" else case.make()
        self.own = {"loss": own_loss} if loss == "own" else {}
        self.own |= {"metrics": [own_metric]} if metrics == "own" else {}
        self.model.compile(chosen, EVERY_OPTIMIZER[optimizer].make(), metrics=METRICS[metrics](case))

    def fit(self, model: nn.Sequential) -> Any:
        """Train; return what came of it."""
        try:
            return repr(model.fit(self.X, self.y, epochs=2, batch_size=5, verbose=0).history)
        except nn.DivergenceError as error:
            return str(error)

    def step(self, model: nn.Sequential) -> None:
        model.loss_and_grads(self.X, self.y)
        model.step()


def freeze_a_part(task: Task) -> None:
    task.fit(task.model)
    task.model.freeze(next(iter(task.model.state_dict())).partition(".")[0])
    task.fit(task.model)


def loop(task: Task) -> None:
    task.step(task.model)
    task.model.backward(np.ones_like(task.model.forward(task.X)))


def diverge(task: Task) -> None:
    """Go as far as `fit` lets a model go."""
    task.fit(task.model)
    optimizer: Any = task.model.optimizer
    optimizer.lr, lr = 1e30, optimizer.lr
    task.fit(task.model)
    optimizer.lr = lr


def diverge_in_a_loop(task: Task) -> None:
    """Go further than `fit` does."""
    optimizer: Any = task.model.optimizer
    optimizer.lr, lr = 1e30, optimizer.lr
    with contextlib.suppress(ValueError):  # of a gradient that is infinite, from a function of one's own
        for _ in range(4):
            task.step(task.model)
    optimizer.lr = lr


STATES: dict[str, Callable[[Task], Any]] = {
    "fresh": lambda task: None,
    "trained": lambda task: task.fit(task.model),
    "partly frozen": freeze_a_part,
    "in a loop": loop,
    "after divergence": diverge,
    "after divergence in a loop": diverge_in_a_loop,
}


def bits(model: nn.Sequential) -> list[bytes]:
    return [array.tobytes() for array in training_state(model).values()]


def check(task: Task, path: pathlib.Path) -> bool:
    """Save and load; return whether there was something to save."""
    path.write_bytes(b"the old file")
    model = task.model
    if not all(np.isfinite(array).all() for array in training_state(model).values()):
        with pytest.raises(ValueError, match=r"^\[save\] .* NaN or infinite"):
            model.save(path)
        assert path.read_bytes() == b"the old file"
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.save(path)
    again = nn.load(path, **task.own)
    assert repr(again) == repr(model)
    assert repr(again.optimizer) == repr(model.optimizer)
    assert frozen(again) == frozen(model)
    assert bits(again) == bits(model)
    assert again.predict(task.X).tobytes() == model.predict(task.X).tobytes()
    assert task.fit(again) == task.fit(model)
    assert bits(again) == bits(model)
    return True


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_with_every_loss_and_optimizer(layer: str, tmp_path: pathlib.Path) -> None:
    """A layer meets each loss, and with these in turn each optimizer, metric and state."""
    start = list(LAYERS).index(layer)
    for i, loss in enumerate(LOSS_NAMES, start):
        names = [list(table)[i % len(table)] for table in (WITH_RATES, METRICS)]
        task = Task(layer, loss, *names, dtype=("float32", "float64")[i % 2])
        STATES[list(STATES)[i % len(STATES)]](task)
        check(task, tmp_path / "m.safetensors")


@pytest.mark.parametrize("optimizer", WITH_RATES)
def test_every_optimizer_in_every_state(optimizer: str, tmp_path: pathlib.Path) -> None:
    refused = set()
    for state, metrics, loss, dtype in product(STATES, METRICS, ["mse", "own"], ["float32", "float64"]):
        task = Task("batch_norm", loss, optimizer, metrics, dtype)
        STATES[state](task)
        if not check(task, tmp_path / "m.safetensors"):
            refused.add(state)
    assert {"after divergence in a loop"} <= refused <= {"after divergence in a loop", "after divergence"}
