"""Tasks: what a library's process times, with the proof that it is the work that was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from benchmarks.libraries.base import Call, Library, Training
from benchmarks.sequence_works import described
from benchmarks.works import ACTIVATIONS, Net, relative_error


def digest(arrays: Iterable[np.ndarray]) -> str:
    """Return a hash of the bits, which are the same or not."""
    bits = hashlib.sha256()
    for array in arrays:
        bits.update(np.ascontiguousarray(array).tobytes())
    return bits.hexdigest()


class Calls:
    """A call that is timed by repeating it. `check` gives its result and how far that is from the truth."""

    units = 1

    def __init__(self, call: Call, error: Callable[[np.ndarray], float]) -> None:
        self.call, self.error = call, error
        # A library may bring its own loop, where an object of its own has to stay open around all calls.
        self.run = getattr(call, "run", self._run)

    def _run(self, n: int) -> None:
        call = self.call
        for _ in range(n):
            call()

    def check(self) -> dict[str, float]:
        return {"error": self.error(np.asarray(self.call()))}

    def bits(self) -> str:
        """Return a hash of the result."""
        return digest([np.asarray(self.call())])

    def prepare(self) -> None:
        pass


class Epochs:
    """A training that is timed by whole epochs from the start weights; a unit is a step."""

    def __init__(self, training: Training, net: Net, steps: int, shuffle: bool) -> None:
        self.training, self.shuffle, self.units = training, shuffle, steps
        self.weights = net.weights()
        # Roundings differ and grow with each step, so that long trainings part although they are the same.
        self.proved = net.batch * min(steps, 20)

    def run(self, n: int) -> None:
        self.training.train(n, self.shuffle)

    def check(self) -> dict[str, float]:
        self.prepare()
        return {"loss": self.training.first_loss(self.proved)}

    def bits(self) -> str:
        """Return a hash of the weights after an epoch: of all steps that are timed."""
        self.prepare()
        self.run(1)
        return digest(self.training.weights().values())

    def prepare(self) -> None:
        self.training.restart(self.weights)


_TRUE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    **ACTIVATIONS,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True),
}


def open_matmul(library: Library, m: int, k: int, n: int, dtype: str) -> Calls:
    """Return the product of two matrices; their sizes are m x k and k x n."""
    random = np.random.default_rng(0)
    a, b = (random.standard_normal(shape, dtype=np.dtype(dtype).type) for shape in ((m, k), (k, n)))
    vector = random.standard_normal(n)  # Freivalds' check: (a @ b) @ v == a @ (b @ v), without a second product
    return Calls(library.matmul(a, b), lambda c: relative_error(c @ vector, a @ (b @ vector)))


def open_activation(library: Library, name: str, m: int, n: int) -> Calls:
    """Return an activation of m rows."""
    x = 2 * np.random.default_rng(0).standard_normal((m, n), dtype=np.float32)
    return Calls(library.activation(name, x), lambda y: relative_error(y, _TRUE[name](x.astype(np.float64))))


def open_prediction(library: Library, net: Mapping[str, Any]) -> Calls:
    """Return the prediction for the rows of a batch."""
    work = described(net)
    x, weights = work.samples().X[: work.batch].copy(), work.weights()
    truth = work.true_outputs(x, weights)
    return Calls(library.prediction(work, weights, x), lambda y: relative_error(y.reshape(truth.shape), truth))


def open_stepping(library: Library, net: Mapping[str, Any]) -> Calls:
    """Return one step of a sequence after the other, with what is carried from one to the next."""
    work = described(net)
    x, weights = work.samples().X[:1], work.weights()
    truth = work.true_states(x, weights)[:, 0]
    return Calls(library.stepping(work, weights, x[0]), lambda y: relative_error(y, truth))


def open_building(library: Library, net: Mapping[str, Any]) -> Calls:
    """Return the building of a network, start values included: uniform within 1 / sqrt(inputs), as PyTorch's are."""
    work = described(net)
    bounds = work.bounds()

    def error(built: np.ndarray) -> float:
        """Return by how much the values leave their bounds, or their spread what chance allows."""
        scaled = built / bounds
        deviation = abs(3 * np.mean(scaled**2) - 1)  # of standard deviation sqrt(0.8 / n)
        return float(max(0, np.abs(scaled).max() - 1, deviation - 6 * (0.8 / scaled.size) ** 0.5))

    return Calls(library.building(work), error)


def open_training(library: Library, net: Mapping[str, Any], shuffle: bool) -> Epochs:
    """Return the training of a network, in steps."""
    work = described(net)
    samples = work.samples()
    steps = -(-len(samples.y) // work.batch)
    return Epochs(library.training(work, samples), work, steps, shuffle)


OPEN: dict[str, Callable[..., Calls | Epochs]] = {
    "matmul": open_matmul,
    "activation": open_activation,
    "prediction": open_prediction,
    "stepping": open_stepping,
    "building": open_building,
    "training": open_training,
}
