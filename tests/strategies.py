"""What Hypothesis draws: arrays, layouts and tasks. Big arrays come from a drawn seed, which shrinks better."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import internals
import nnext as nn
from cases import OPTIMIZERS
from chain_strategies import stacks
from image_strategies import image_stacks
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
        return last > 1 or "BatchNorm" not in repr(self.model)

    def twin(self, **changes: Any) -> nn.Sequential:
        """Build the same model again."""
        model = nn.Sequential(*self.model.layers, seed=self.model.seed, dtype=changes.pop("dtype", self.model.dtype))
        model.load_state_dict(self.model.state_dict())
        settings = internals.settings(self.model)
        model.compile(**{name: settings[name] for name in ("loss", "optimizer", "clip_norm")} | changes)
        return model


def _networks(images: bool, **options: Any) -> st.SearchStrategy[tuple[tuple[int, ...], list[nn.Layer]]]:
    """Return layers and the shape of a sample; () where the layers tell it."""
    return image_stacks(**options) if images else stacks(**options).map(lambda layers: ((), layers))


@st.composite
def tasks(draw: st.DrawFn, dtype: str | None = None, optimizer: Any = None, **options: Any) -> Task:
    """Draw a network, a loss that suits it, and a batch with or without weights."""
    # Those whose rounding error_bounds.py can follow through a whole network.
    losses = [
        "mse",
        "huber",
        "log_cosh",
        "bce_with_logits",
        "bce + Sigmoid",
        "cross_entropy",
        "cross_entropy + Softmax",
    ]
    losses += ["kl_div"]
    loss = draw(st.sampled_from(losses))
    name, _, last = loss.partition(" + ")
    options["min_outputs"] = 2 if name in ("cross_entropy", "kl_div") else 1
    shape, layers = draw(st.booleans().flatmap(lambda images: _networks(images, **options)))
    tail: list[nn.Layer] = [getattr(nn, last)()] if last else []
    model = nn.Sequential(*layers, *tail, seed=draw(NETWORK_SEEDS), dtype=dtype or draw(DTYPES))
    settings = {"huber": ("delta", [0.5, 1.0, 2.0]), "cross_entropy": ("label_smoothing", [0.0, 0.0, 0.1, 0.5])}
    arguments = {}
    if name in settings:
        setting, values = settings[name]
        arguments[setting] = draw(st.sampled_from(values))
    clip_norm = draw(st.sampled_from([None, 0.1, 1.0]))
    model.compile(loss=nn.Loss.names()[name](**arguments), optimizer=optimizer or "sgd", clip_norm=clip_norm)
    rng = np.random.default_rng(draw(SEEDS))
    least = 2 if "BatchNorm" in repr(model) else 1
    shape = shape or (model.in_features,)
    n, k = draw(st.integers(least, 33)), model.predict(np.zeros((1, *shape))).shape[1]
    X = rng.normal(size=(n, *shape)).astype(model.dtype)
    if name == "cross_entropy":
        labels = rng.integers(k, size=n)
        y: np.ndarray = np.eye(k)[labels] if draw(st.booleans()) else labels
    elif name == "kl_div":
        y = rng.dirichlet(np.ones(k), size=n).astype(model.dtype)
    elif name in ("mse", "huber", "log_cosh"):
        y = rng.normal(size=(n, k)).astype(model.dtype)
    else:
        y = rng.integers(2, size=(n, k))
    weight = rng.integers(1, 9, size=n) / 4 if draw(st.booleans()) else None
    fused = "bce_with_logits" if name == "bce" else name
    return Task(model, fused, arguments, len(layers), X, y, weight)
