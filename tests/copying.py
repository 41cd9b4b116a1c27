"""Models in the states that they can be in, and the ways to copy an object that a user has, by name."""

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn

X, Y = np.linspace(-1, 1, 60).reshape(12, 5), np.arange(12) % 2


def own_loss(y_pred: Any, y: Any) -> tuple[float, Any]:
    """Return half the squared error, and its gradient."""
    d = y_pred - np.eye(2)[y]
    return float((d**2).sum() / 2), d


def own_metric(y_true: Any, y_pred: Any) -> float:
    return float(y_pred.sum())


class Scaled:
    """A metric with a setting."""

    def __init__(self, factor: float) -> None:
        self.factor, self.__name__ = factor, "scaled"

    def __call__(self, y_true: Any, y_pred: Any) -> float:
        return self.factor * own_metric(y_true, y_pred)


class Net(nn.Sequential):
    """A user's model: made from other arguments, with attributes and verbs of its own."""

    __slots__ = ("slot",)

    def __init__(self, hidden: int, labels: list[str]) -> None:
        super().__init__(nn.Linear(5, hidden), nn.ReLU(), nn.Dropout(0.3), nn.Linear(hidden, 2), seed=4)
        self.labels, self.slot, self.itself = labels, [1], [self]

    def compile(self, power: float) -> None:  # type: ignore[override]
        self.power = power
        super().compile(self.loss, nn.Adam(lr=0.05), metrics=["accuracy"])

    def freeze(self) -> None:  # type: ignore[override]
        super().freeze("0")

    def loss(self, y_pred: Any, y: Any) -> tuple[float, Any]:
        value, gradient = own_loss(y_pred, y)
        return self.power * value, self.power * gradient


# Each call makes a new one, so that no test depends on another.
def plain() -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm1d(5), nn.Linear(5, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 2), seed=2**64 - 1
    )


def mlp() -> nn.Sequential:
    model = nn.MLP([5, 9, 2], batch_norm=True, dtype="float64")
    model.compile(
        "cross_entropy",
        nn.NAdam(lr=0.05),
        metrics=["accuracy", own_metric],
        clip_norm=0.5,
        clip_value=0.05,
        accumulate=2,
    )
    return model


def trained() -> nn.Sequential:
    model = mlp()
    model.fit(X, Y, epochs=3, batch_size=5, verbose=0)
    return model


def averaged() -> nn.Sequential:
    model = plain()
    model.compile("cross_entropy", nn.Adam(lr=0.05), ema=0.9)
    model.fit(X, Y, epochs=3, batch_size=5, verbose=0)
    return model


def frozen_since_a_while() -> nn.Sequential:
    model = trained()
    model.freeze("0")
    model.fit(X, Y, verbose=0)
    return model


def in_a_loop_of_its_own() -> nn.Sequential:
    model = trained()
    model.loss_and_grads(X, Y)
    model.step()
    model.backward(np.ones_like(model.forward(X)))
    return model


def with_an_own_loss() -> nn.Sequential:
    model = plain()
    model.compile(own_loss, nn.SGD(lr=0.01, momentum=0.9), metrics=[Scaled(2.0)])
    model.fit(X, Y, epochs=2, batch_size=5, verbose=0)
    return model


def diverged() -> nn.Sequential:
    model = nn.MLP([5, 3, 2], activation="tanh")
    model.compile("mse", nn.SGD(lr=1e30, momentum=0.9))
    model.loss_and_grads(X, X[:, :2])
    for _ in range(3):
        model.loss_and_grads(X, X[:, :2])
        model.step()
    return model


def of_a_users_class() -> nn.Sequential:
    model = Net(7, ["a", "b"])
    model.compile(0.5)
    model.freeze()
    model.fit(X, Y, epochs=2, batch_size=5, verbose=0)
    return model


def in_bf16() -> nn.Sequential:
    if not nn.runtime.available_bf16() or nn.runtime.isa() != "avx512":
        pytest.skip("this CPU, or the instruction set in use, has no products in bf16")
    model = nn.MLP([5, 64, 64, 2])
    model.compile("cross_entropy", precision="bf16")
    model.fit(X, Y, epochs=2, batch_size=4, verbose=0)
    return model


MODELS: dict[str, Callable[[], nn.Sequential]] = {
    f.__name__: f
    for f in (
        plain,
        mlp,
        trained,
        averaged,
        frozen_since_a_while,
        in_a_loop_of_its_own,
        with_an_own_loss,
        of_a_users_class,
        in_bf16,
    )
}


def by_joblib(model: Any) -> Any:
    joblib = pytest.importorskip("joblib")
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "joblib": by_joblib,
    **{f"pickle_{i}": lambda m, i=i: pickle.loads(pickle.dumps(m, i)) for i in range(pickle.HIGHEST_PROTOCOL + 1)},
}
