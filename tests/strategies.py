"""What Hypothesis draws: arrays, layouts and networks. Big arrays come from a drawn seed, which shrinks better."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import internals
import nnext as nn
from cases import ACTIVATIONS, OPTIMIZERS
from layouts import LAYOUTS

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


SMOOTH: list[nn.Layer] = [*(case.layer for case in ACTIVATIONS.values() if case.curvature is not None), nn.Softmax()]
KINKED: list[nn.Layer] = [case.layer for case in ACTIVATIONS.values() if case.curvature is None]


@dataclass(frozen=True)
class Choice:
    """What may stand between Linear layers."""

    smooth: bool = False
    dropout: bool = True
    batch_norm: bool = True


@st.composite
def between(draw: st.DrawFn, features: int, choice: Choice) -> nn.Layer:
    """Draw a layer that gives as many features as it takes, and is no Residual."""
    known = [*SMOOTH, *([] if choice.smooth else KINKED), nn.Flatten()]
    if choice.dropout:
        known += [nn.Dropout(p) for p in (0.0, 0.1, 0.5, 0.9)]
    if choice.batch_norm:  # where the variance is small, a smaller eps bends y within a step of central differences
        eps, momentum = 0.1 if choice.smooth else 1e-3, draw(st.sampled_from([0.1, 0.5, None]))
        known += [nn.BatchNorm1d(features, eps=eps, momentum=momentum, affine=draw(st.booleans()))] * 4
    return draw(st.sampled_from(known))


@st.composite
def residuals(draw: st.DrawFn, features: int, given: int, choice: Choice, depth: int = 1) -> nn.Residual:
    """Draw a Residual of some Linear and other layers, maybe with another one in it, and a shortcut where it must."""
    inside = draw(st.integers(1, 8))
    body: list[nn.Layer] = draw(st.lists(between(features, choice), max_size=1))
    body.append(nn.Linear(features, inside))
    if depth > 0 and draw(st.booleans()):
        body.append(draw(residuals(inside, inside, choice, depth - 1)))
    body += [draw(between(inside, choice)), nn.Linear(inside, given, bias=draw(st.booleans()))]
    body += draw(st.lists(between(given, choice), max_size=1))
    shortcut: list[nn.Layer] = draw(st.lists(between(features, choice), max_size=1))
    if features != given:
        shortcut.append(nn.Linear(features, given, bias=draw(st.booleans())))
    return nn.Residual(*body, shortcut=shortcut)


@st.composite
def stacks(draw: st.DrawFn, max_size: int = 40, min_outputs: int = 1, **choice: bool) -> list[nn.Layer]:
    """Draw layers: Linear or Residual, then any others, up to four times; a Linear layer is the last."""
    chosen = Choice(**choice)
    sizes = draw(st.lists(st.integers(1, max_size), min_size=1, max_size=4))
    sizes.append(draw(st.integers(min_outputs, max_size)))
    layers: list[nn.Layer] = []
    for i in range(len(sizes) - 1):
        if i > 0 or draw(st.booleans()):
            layers += draw(st.lists(between(sizes[i], chosen), max_size=2))
        if i + 2 < len(sizes) and draw(st.booleans()):
            layers.append(draw(residuals(sizes[i], sizes[i + 1], chosen)))
        else:
            layers.append(nn.Linear(sizes[i], sizes[i + 1], bias=draw(st.booleans())))
    return layers


@dataclass
class Task:
    """A compiled network with a batch that suits its loss."""

    model: nn.Sequential
    fused: str  # the loss as a function of the output of `layers` without the last, if that is fused with it
    arguments: dict[str, Any]  # that this function takes, beside outputs, targets and weights
    head: int  # how many layers come before that loss
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None

    def fits(self, batch_size: int) -> bool:
        """Tell whether every batch of a fit has the two rows that batch normalization needs."""
        last = len(self.X) % batch_size or min(batch_size, len(self.X))
        return last > 1 or "BatchNorm1d" not in repr(self.model)

    def twin(self, **changes: Any) -> nn.Sequential:
        """Build the same model again."""
        model = nn.Sequential(*self.model.layers, seed=self.model.seed, dtype=changes.pop("dtype", self.model.dtype))
        model.load_state_dict(self.model.state_dict())
        settings = internals.settings(self.model)
        model.compile(**{name: settings[name] for name in ("loss", "optimizer", "clip_norm")} | changes)
        return model


@st.composite
def tasks(draw: st.DrawFn, dtype: str | None = None, optimizer: Any = None, **options: Any) -> Task:
    """Draw a network, a loss that suits it, and a batch with or without weights."""
    # Those whose rounding error_bounds.py can follow through a whole network.
    losses = ["mse", "huber", "bce_with_logits", "cross_entropy", "bce + Sigmoid", "cross_entropy + Softmax"]
    loss = draw(st.sampled_from(losses))
    name, _, last = loss.partition(" + ")
    layers = draw(stacks(min_outputs=2 if name == "cross_entropy" else 1, **options))
    tail: list[nn.Layer] = [getattr(nn, last)()] if last else []
    model = nn.Sequential(*layers, *tail, seed=draw(NETWORK_SEEDS), dtype=dtype or draw(DTYPES))
    arguments = {"delta": draw(st.sampled_from([0.5, 1.0, 2.0]))} if name == "huber" else {}
    clip_norm = draw(st.sampled_from([None, 0.1, 1.0]))
    model.compile(loss=nn.Loss.names()[name](**arguments), optimizer=optimizer or "sgd", clip_norm=clip_norm)
    rng = np.random.default_rng(draw(SEEDS))
    least = 2 if "BatchNorm1d" in repr(model) else 1
    n, k = draw(st.integers(least, 33)), model.predict(np.zeros((1, model.in_features))).shape[1]
    X = rng.normal(size=(n, model.in_features)).astype(model.dtype)
    if name == "cross_entropy":
        labels = rng.integers(k, size=n)
        y: np.ndarray = np.eye(k)[labels] if draw(st.booleans()) else labels
    else:
        y = rng.normal(size=(n, k)).astype(model.dtype) if name in ("mse", "huber") else rng.integers(2, size=(n, k))
    weight = rng.integers(1, 9, size=n) / 4 if draw(st.booleans()) else None
    fused = "bce_with_logits" if name == "bce" else name
    return Task(model, fused, arguments, len(layers), X, y, weight)
