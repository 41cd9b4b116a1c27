"""Batches for tests, and what such tests ask."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import nnext as nn
from internals import training_state

N, FEATURES, CLASSES, SIZE = 70, 9, 3, 16
Pairs = list[tuple[np.ndarray, ...]]


def squares(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return float(((y_pred - np.eye(CLASSES)[y]) ** 2).mean()), 2 * (y_pred - np.eye(CLASSES)[y]) / y_pred.size


def network(loss: Any = "cross_entropy", **compiled: Any) -> nn.Sequential:
    layers = [nn.Linear(FEATURES, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Dropout(0.2), nn.Linear(7, CLASSES)]
    model = nn.Sequential(*layers, seed=5)
    model.compile(loss, **{"optimizer": nn.Adam(lr=0.01), "metrics": ["accuracy"], **compiled})
    return model


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(N, FEATURES)).astype("float32"), rng.integers(CLASSES, size=N)


def cut(*arrays: np.ndarray, size: int = SIZE) -> Pairs:
    return [tuple(array[first : first + size] for array in arrays) for first in range(0, len(arrays[0]), size)]


class Loader:
    """What can be read again and again, as PyTorch's DataLoader; lists in place of tuples, as it gives them."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs

    def __iter__(self) -> Iterator[Any]:
        return (list(pair) for pair in self.pairs)


def trained(model: nn.Sequential, *given: Any, **options: Any) -> dict[str, Any]:
    history = model.fit(*given, **{"epochs": 3, "verbose": 0, **options}).history
    return training_state(model) | {name: np.array(values) for name, values in history.items()}
