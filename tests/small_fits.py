"""Fits of a small network in float64, for tests that compare two of them."""

from typing import Any

import numpy as np

import nnext as nn
from tolerance import assert_relative, eps

MANY = 1e3 * eps("float64")  # of a few steps that differ in the order of their sums


def regressor(
    loss: Any = "mse", k: int = 2, last: nn.Layer | None = None, dtype: str = "float64", **settings: Any
) -> nn.Sequential:
    layers = [nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, k), *([last] if last is not None else [])]
    model = nn.Sequential(*layers, dtype=dtype, seed=2)
    model.compile(loss=loss, **{"optimizer": nn.SGD(lr=0.1), **settings})
    return model


def data(rng: np.random.Generator, n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(n, 4)), rng.normal(size=(n, 2))


def assert_same_weights(a: nn.Sequential, b: nn.Sequential, tolerance: float = MANY) -> None:
    for name, values in a.state_dict().items():
        assert_relative(b.state_dict()[name], values, tolerance)


def own_mse(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    return float(((p - t) ** 2).mean()), 2 * (p - t) / p.size
