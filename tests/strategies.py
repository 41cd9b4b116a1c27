"""What Hypothesis draws: arrays, layouts and networks. Big arrays come from a drawn seed, which shrinks better."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import internals
import nnext as nn
from cases import LAYOUTS, OPTIMIZERS

DTYPES = st.sampled_from(["float32", "float64"])
SEEDS = st.integers(0, 2**32 - 1)
NETWORK_SEEDS = st.integers(0, 2**64 - 1)
SIZES = st.integers(1, 40)
LAYOUT = st.sampled_from(sorted(LAYOUTS)).map(LAYOUTS.__getitem__)
OPTIMIZER = st.sampled_from(sorted(OPTIMIZERS)).map(OPTIMIZERS.__getitem__)
FINITE = st.floats(-1e3, 1e3, width=16)  # exact in every type


def vectors(elements: st.SearchStrategy[float] = FINITE, max_size: int = 70) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, st.integers(0, max_size), elements=elements)


def matrices(elements: st.SearchStrategy[float] = FINITE, max_side: int = 9) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=max_side), elements=elements)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


SMOOTH: list[nn.Layer] = [nn.Identity(), nn.Tanh(), nn.Sigmoid(), nn.Softmax()]
KINKED: list[nn.Layer] = [nn.ReLU(), nn.LeakyReLU(0.1)]


@st.composite
def stacks(
    draw: st.DrawFn, smooth: bool = False, dropout: bool = True, max_size: int = 40, min_outputs: int = 1
) -> list[nn.Layer]:
    """Draw layers: Linear, then any activations, Dropout and Flatten, up to four times; a Linear layer is the last."""
    sizes = draw(st.lists(st.integers(1, max_size), min_size=1, max_size=4))
    sizes.append(draw(st.integers(min_outputs, max_size)))
    between = [*SMOOTH, *([] if smooth else KINKED), nn.Flatten()]
    if dropout:
        between += [nn.Dropout(draw(st.sampled_from([0.0, 0.1, 0.5, 0.9])))]
    layers: list[nn.Layer] = []
    for i in range(len(sizes) - 1):
        if i > 0:
            layers += draw(st.lists(st.sampled_from(between), max_size=2))
        layers.append(nn.Linear(sizes[i], sizes[i + 1], bias=draw(st.booleans())))
    return layers


@dataclass
class Task:
    """A compiled network with a batch that suits its loss."""

    model: nn.Sequential
    fused: str  # the loss as a function of the output of `layers` without the last, if that is fused with it
    head: int  # how many layers come before that loss
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None

    def twin(self, **changes: Any) -> nn.Sequential:
        """Build the same model again."""
        model = nn.Sequential(*self.model.layers, seed=self.model.seed, dtype=changes.pop("dtype", self.model.dtype))
        model.load_state_dict(self.model.state_dict())
        model.compile(**{"loss": internals.settings(self.model)["loss"], "optimizer": self.model.optimizer, **changes})
        return model


@st.composite
def tasks(draw: st.DrawFn, dtype: str | None = None, optimizer: Any = None, **options: Any) -> Task:
    """Draw a network, a loss that suits it, and a batch with or without weights."""
    loss = draw(
        st.sampled_from(["mse", "bce_with_logits", "cross_entropy", "bce + Sigmoid", "cross_entropy + Softmax"])
    )
    name, _, last = loss.partition(" + ")
    layers = draw(stacks(min_outputs=2 if name == "cross_entropy" else 1, **options))
    tail: list[nn.Layer] = [getattr(nn, last)()] if last else []
    model = nn.Sequential(*layers, *tail, seed=draw(NETWORK_SEEDS), dtype=dtype or draw(DTYPES))
    model.compile(loss=name, optimizer=optimizer or "sgd")
    rng = np.random.default_rng(draw(SEEDS))
    n, k = draw(st.integers(1, 33)), model.predict(np.zeros((1, model.in_features))).shape[1]
    X = rng.normal(size=(n, model.in_features)).astype(model.dtype)
    if name == "cross_entropy":
        labels = rng.integers(k, size=n)
        y: np.ndarray = np.eye(k)[labels] if draw(st.booleans()) else labels
    else:
        y = rng.normal(size=(n, k)).astype(model.dtype) if name == "mse" else rng.integers(2, size=(n, k))
    weight = rng.integers(1, 9, size=n) / 4 if draw(st.booleans()) else None
    fused = "bce_with_logits" if name == "bce" else name
    return Task(model, fused, len(layers), X, y, weight)
