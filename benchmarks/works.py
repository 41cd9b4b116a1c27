"""The work that is timed: one description of a network, its samples and its training, the same for every library.

A description is small enough to be sent to a library's process as JSON; all arrays follow from it and from a seed, so
every process starts from the same weights and the same samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from math import prod
from typing import Any, Self

import numpy as np

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Net:
    """A network of Linear layers with an activation between, its optimizer and the size of its data.

    Parameters
    ----------
    sizes : tuple of int
        Features, hidden layers, outputs. One output means two classes and the binary cross-entropy of logits, more
        mean the softmax cross-entropy.
    batch, batches : int
        Samples of a step, steps of an epoch.
    optimizer : {"SGD", "Adam"}
    lr : float
    images : str
        Folder with ``X.npy`` (bytes) and ``y.npy`` to train on; without it the samples are drawn.
    activation : {"relu", "tanh"}
    """

    sizes: tuple[int, ...]
    batch: int
    optimizer: str = "SGD"
    lr: float = 0.1
    batches: int = 200
    images: str = ""
    activation: str = "relu"

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Self:
        """Build it from what `description` gave, also after a way through JSON."""
        settings = {name: value for name, value in description.items() if name != "kind"}
        return cls(**{**settings, "sizes": tuple(settings["sizes"])})

    def description(self) -> dict[str, Any]:
        """Return what `of` takes, and the name of the class."""
        return {"kind": type(self).__name__} | asdict(self)

    @property
    def name(self) -> str:
        """As in the tables: 784-128-10 b64 SGD, and the activation where it is not ReLU."""
        return f"{self.layers} b{self.batch} {self.optimizer}" + (" tanh" if self.activation == "tanh" else "")

    @property
    def layers(self) -> str:
        """As in the tables: 784-128-10."""
        return "-".join(map(str, self.sizes))

    @property
    def flops(self) -> float:
        """The products of one step: forward, gradient of the weights, and of the input of all layers but the first."""
        return 3 * self.forward_flops - 2.0 * self.batch * self.sizes[0] * self.sizes[1]

    @property
    def forward_flops(self) -> float:
        """The products of one prediction of a batch."""
        return 2.0 * self.batch * sum(n_in * n_out for n_in, n_out in pairwise(self.sizes))

    @property
    def classes(self) -> int:
        return max(2, self.sizes[-1])

    def short(self, batches: int) -> Self:
        """Return the same with fewer steps an epoch."""
        return replace(self, batches=batches)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """What a sample looks like."""
        return (self.sizes[0],)

    def shapes(self) -> dict[str, tuple[tuple[int, ...], float]]:
        """Return each parameter's shape under PyTorch's name, and 1 / sqrt(inputs), the bound of its start values."""
        return {
            f"{2 * layer}.{name}": (shape, n_in**-0.5)
            for layer, (n_in, n_out) in enumerate(pairwise(self.sizes))
            for name, shape in (("weight", (n_out, n_in)), ("bias", (n_out,)))
        }

    def weights(self, seed: int = 0) -> Weights:
        """Return start weights, uniform within their bounds as PyTorch's are."""
        random = np.random.default_rng(seed)
        return {
            name: random.uniform(-bound, bound, shape).astype(np.float32)
            for name, (shape, bound) in self.shapes().items()
        }

    def bounds(self) -> np.ndarray:
        """Return the bound of every start weight, layer by layer."""
        return np.concatenate([np.full(prod(shape), bound) for shape, bound in self.shapes().values()])

    def true_outputs(self, x: np.ndarray, weights: Weights) -> np.ndarray:
        """Return what the network gives for rows of x, computed in float64."""
        y = np.asarray(x, np.float64)
        for layer in range(len(self.sizes) - 1):
            y = ACTIVATIONS[self.activation](y) if layer else y
            y = true_linear(y, weights, 2 * layer)
        return y

    def samples(self) -> Samples:
        """Return the samples of an epoch: the images, or points around one centre a class, in bytes as images are."""
        if self.images:
            return Samples(np.load(f"{self.images}/X.npy"), np.load(f"{self.images}/y.npy"))
        random, n = np.random.default_rng(1), self.batch * self.batches
        y = random.integers(self.classes, size=n)
        y[: self.classes] = np.arange(min(n, self.classes))  # scikit-learn counts the classes that it sees
        centres = random.integers(128, size=(self.classes, *self.sample_shape), dtype=np.uint8)
        return Samples(centres[y] + random.integers(128, size=(n, *self.sample_shape), dtype=np.uint8), y)


@dataclass(frozen=True)
class Samples:
    """Bytes as they lie in a file, and labels."""

    pixels: np.ndarray
    y: np.ndarray

    @property
    def X(self) -> np.ndarray:  # noqa: N802 - the field's own name
        """What libraries train on that take no bytes: numbers from 0 to 1."""
        return self.pixels.astype(np.float32) / np.float32(255)


MNIST = Net((784, 128, 10), 64)
DEEPER = Net((784, 512, 512, 10), 256, "Adam", 1e-3, batches=20)
SMALL = Net((10, 10, 10, 10), 32)
XOR = Net((2, 2, 1), 4)
WIDE = Net((4096, 4096), 64, batches=4)
BROAD = Net((784, 1024, 1024, 10), 128, "Adam", 3e-4, batches=20)
TABLE = Net((30, 64, 64, 2), 32, "Adam", 1e-3)  # as many columns as a small table of a database has
TANH = Net((100, 256, 256, 256, 10), 128, "Adam", 1e-3, batches=50, activation="tanh")

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}


def relative_error(got: np.ndarray, true: np.ndarray) -> float:
    """Return the largest difference as a share of the largest true value; NaN if there is one."""
    return float(np.abs(np.asarray(got, np.float64) - true).max() / np.abs(true).max())


def true_linear(x: np.ndarray, weights: Weights, layer: int) -> np.ndarray:
    """Return what a Linear layer gives for rows of x."""
    y: np.ndarray = x @ weights[f"{layer}.weight"].T.astype(np.float64) + weights[f"{layer}.bias"]
    return y
