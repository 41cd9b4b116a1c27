"""NumPy, as a patient user writes it: float32, products into arrays that exist, no gradient that nobody needs."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.libraries.base import Building, Call, Library, Training
from benchmarks.works import Net, Samples, Weights

# In place, and the slope told from the result.
ACTIVATIONS: dict[str, tuple[Callable[[np.ndarray], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "relu": (lambda y: np.maximum(y, 0, out=y), lambda y: y > 0),
    "tanh": (lambda y: np.tanh(y, out=y), lambda y: 1 - y * y),
}


class Use(Library):
    """NumPy."""

    def about(self) -> str:
        core = os.environ.get("OPENBLAS_CORETYPE")
        return f"NumPy {np.__version__}" + (f", OPENBLAS_CORETYPE={core}" if core else "")

    def matmul(self, a: np.ndarray, b: np.ndarray) -> Call:
        out = np.empty((a.shape[0], b.shape[1]), a.dtype)
        return lambda: np.matmul(a, b, out=out)

    def activation(self, name: str, x: np.ndarray) -> Call:
        out, column = np.empty_like(x), np.empty((x.shape[0], 1), x.dtype)
        one = x.dtype.type(1)

        def sigmoid() -> Any:
            np.negative(x, out=out)
            np.exp(out, out=out)
            np.add(out, one, out=out)
            return np.reciprocal(out, out=out)

        def softmax() -> Any:
            np.max(x, axis=1, keepdims=True, out=column)
            np.subtract(x, column, out=out)
            np.exp(out, out=out)
            np.sum(out, axis=1, keepdims=True, out=column)
            return np.divide(out, column, out=out)

        calls: dict[str, Call] = {
            "relu": lambda: np.maximum(x, 0, out=out),
            "tanh": lambda: np.tanh(x, out=out),
            "sigmoid": sigmoid,
            "softmax": softmax,
        }
        return calls[name]

    def prediction(self, net: Net, weights: Weights, x: np.ndarray) -> Call:
        layers = _layers(net, weights)
        activate = ACTIVATIONS[net.activation][0]
        results = [np.empty((len(x), n), np.float32) for n in net.sizes[1:]]

        def predict() -> np.ndarray:
            y = x
            for i, ((w, b), result) in enumerate(zip(layers, results, strict=True)):
                if i:
                    activate(y)
                y = np.matmul(y, w, out=result)
                y += b
            return y

        return predict

    def building(self, net: Net) -> Building:
        random = np.random.default_rng(0)

        def draw(n_in: int, *shape: int) -> np.ndarray:
            values = random.random(shape, np.float32)
            values -= np.float32(0.5)
            values *= np.float32(2 * n_in**-0.5)
            return values

        def build() -> list[np.ndarray]:
            return [w for a, b in pairwise(net.sizes) for w in (draw(a, a, b), draw(a, b))]

        return Building(build, lambda built: built)

    def training(self, net: Net, samples: Samples) -> Training:
        return _Training(net, samples)


def _layers(net: Net, weights: Weights) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return copies of weights (in, out) and biases."""
    of = [f"{2 * i}." for i in range(len(net.sizes) - 1)]
    return [(np.ascontiguousarray(weights[i + "weight"].T), weights[i + "bias"].copy()) for i in of]


class _Training(Training):
    def __init__(self, net: Net, samples: Samples) -> None:
        self.net, self.X, self.y = net, samples.X, samples.y
        self.activate, self.slope = ACTIVATIONS[net.activation]
        self.random = np.random.default_rng(0)
        self.rows = np.arange(net.batch)
        self.x = np.empty((net.batch, net.sizes[0]), np.float32)

    def restart(self, weights: Weights) -> None:
        self.layers = _layers(self.net, weights)
        parameters = [p for layer in self.layers for p in layer]
        self.grads = [np.empty_like(p) for p in parameters]
        self.optimizer: Any = {"SGD": _SGD, "Adam": _Adam}[self.net.optimizer](parameters, self.grads)
        self.lr = self.net.lr

    def set_rate(self, lr: float) -> None:
        self.lr = lr

    def train(self, epochs: int, shuffle: bool) -> None:
        for _ in range(epochs):
            if shuffle:
                self.epoch(self.random.permutation(len(self.X)))
            else:
                self.first_loss(len(self.X))

    def first_loss(self, n: int) -> float:
        starts = range(0, n, self.net.batch)
        return float(
            np.mean([self.step(self.X[i : i + self.net.batch], self.y[i : i + self.net.batch]) for i in starts])
        )

    def epoch(self, order: np.ndarray) -> None:
        for start in range(0, len(order), self.net.batch):
            rows = order[start : start + self.net.batch]
            x = np.take(self.X, rows, axis=0, out=self.x[: len(rows)], mode="clip")  # "raise" would copy twice
            self.step(x, self.y[rows])

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """Return the inputs of all layers, and the output."""
        values = [x]
        for i, (w, b) in enumerate(self.layers):
            y = values[-1] @ w
            y += b
            if i + 1 < len(self.layers):
                self.activate(y)
            values.append(y)
        return values

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        values = self.forward(x)
        loss, dy = _loss(values[-1], y, self.rows[: len(x)])
        for i in reversed(range(len(self.layers))):
            np.matmul(values[i].T, dy, out=self.grads[2 * i])
            np.sum(dy, axis=0, out=self.grads[2 * i + 1])
            if i:
                dy = dy @ self.layers[i][0].T
                dy *= self.slope(values[i])
        self.optimizer.step(np.float32(self.lr))
        return loss

    def outputs(self, X: np.ndarray) -> np.ndarray:
        return self.forward(X)[-1]


def _loss(z: np.ndarray, y: np.ndarray, rows: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy of logits and its gradient, which takes their place."""
    if z.shape[1] == 1:
        t = y[:, None].astype(np.float32)
        loss = float(np.mean(np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))))
        dy = 1 / (1 + np.exp(-z)) - t
    else:
        z -= z.max(axis=1, keepdims=True)
        dy = np.exp(z)
        total = dy.sum(axis=1, keepdims=True)
        loss = float(np.mean(np.log(total[:, 0]) - z[rows, y]))
        dy /= total
        dy[rows, y] -= 1
    dy /= np.float32(len(z))
    return loss, dy


class _SGD:
    def __init__(self, parameters: list[np.ndarray], grads: list[np.ndarray]) -> None:
        self.parameters, self.grads = parameters, grads

    def step(self, lr: np.float32) -> None:
        for p, g in zip(self.parameters, self.grads, strict=True):
            g *= lr
            p -= g


class _Adam:
    def __init__(self, parameters: list[np.ndarray], grads: list[np.ndarray]) -> None:
        self.lists: Any = [
            (p, g, np.zeros_like(p), np.zeros_like(p), np.empty_like(p)) for p, g in zip(parameters, grads, strict=True)
        ]
        self.t = 0

    def step(self, lr: np.float32, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
        self.t += 1
        size, correction = np.float32(lr / (1 - beta1**self.t)), np.float32((1 - beta2**self.t) ** -0.5)
        for p, g, m, v, scratch in self.lists:
            m *= np.float32(beta1)
            m += np.multiply(g, np.float32(1 - beta1), out=scratch)
            v *= np.float32(beta2)
            np.square(g, out=scratch)
            scratch *= np.float32(1 - beta2)
            v += scratch
            np.sqrt(v, out=scratch)
            scratch *= correction
            scratch += np.float32(eps)
            np.divide(m, scratch, out=scratch)
            scratch *= size
            p -= scratch
