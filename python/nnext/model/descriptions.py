"""What a model is, beside its numbers: plain values that a file keeps, and what they say, checked.

Entries of format 2, provisional: ``dtype``, ``seed``, ``layers``, ``input_shape`` (null where none was given),
``numbering`` (of a slice: the place of its first layer, and how many layers within others came before), ``frozen``
(paths of layers), ``counters``, ``progress`` (of each tensor: steps of the optimizer, and the product that some rules
keep), ``position`` (epochs since compile, and of the one that a fit was in the steps done and all); after compile its
arguments ``loss``, ``optimizer``, ``metrics``, ``precision``, ``clip_norm``, ``clip_value``, ``accumulate`` and
``ema``; and ``seen``, what the data have told. Layers, losses, optimizers, schedules and initializers are what their
``config()`` gives, metrics are names, and ``{"function": name}`` stands for a function of the user's. A file holds no
code, import names or paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from nnext import _check, metrics
from nnext._compiled import Compiled
from nnext._decision import Seen, Shape
from nnext._engine import Engine, lr_scales, optimizer_arrays, tensor_table
from nnext._fields import Check
from nnext._state import FROM_THE_FIRST, Counters, Numbering, Position, Progress, State, Tensor
from nnext.layers import Layer
from nnext.losses import Loss
from nnext.model.functions import Named, Names, name_loss, name_metrics
from nnext.optimizers import Optimizer


@dataclass(frozen=True)
class Settings:
    """What the model was compiled with."""

    loss: Loss | Named
    optimizer: Optimizer
    metrics: Mapping[str, str | Named]  # by their names in History
    precision: str
    clip_norm: float | None
    clip_value: float | None
    accumulate: int
    ema: float | None

    @property
    def functions(self) -> Names:
        """The functions of the user's among them."""
        return Names.of(self.loss, self.metrics)


@dataclass(frozen=True)
class Description:
    """What a file says of a model."""

    dtype: str
    seed: int
    layers: tuple[Layer, ...]
    input_shape: Shape | None
    numbering: Numbering
    frozen: list[str]
    counters: Counters
    progress: Mapping[str, Progress]  # of each tensor
    position: Position
    compiled: Settings | None
    seen: Seen

    def tensors(self) -> list[Tensor]:
        """Return the parameters and buffers of such a network."""
        return tensor_table(self.layers, self.input_shape, self.numbering)

    def engine(self) -> Engine:
        """Return such a network, whose parameters are to be set."""
        dtype = np.dtype(self.dtype)
        return Engine(self.layers, self.seed, dtype, self.input_shape, draws=False, numbering=self.numbering)

    @property
    def keeps_averages(self) -> bool:
        """Whether there are averages of the parameters once they have been trained."""
        return self.compiled is not None and self.compiled.ema is not None

    def sums(self) -> int:
        """Return how many running sums the optimizer keeps of each parameter."""
        if self.compiled is None:
            return 0
        lr_scales(self.compiled.optimizer, self.tensors())  # ValueError for layers that are not there
        return len(optimizer_arrays(self.compiled.optimizer))


def write(engine: Engine, state: State, seen: Seen) -> dict[str, Any]:
    """Describe a network in a state of it."""
    compiled: Compiled | None = state.compiled
    description: dict[str, Any] = {
        "dtype": engine.dtype.name,
        "seed": engine.seed,
        "layers": [layer.config() for layer in engine.layers],
        "input_shape": None if engine.told_shape is None else list(engine.told_shape),
        "frozen": sorted(state.frozen),
        "counters": list(state.counters),
        "progress": {path: list(progress) for path, progress in state.progress.items()},
        "position": list(state.position),
        "seen": {name: list(told) if isinstance(told, tuple) else told for name, told in vars(seen).items()},
    }
    if engine.numbering != FROM_THE_FIRST:
        description["numbering"] = list(engine.numbering)
    if compiled is not None:
        loss = name_loss(compiled.loss)
        description |= {
            "loss": loss.config() if isinstance(loss, Loss) else loss._asdict(),
            "optimizer": compiled.optimizer.config(),
            "metrics": {
                name: entry if isinstance(entry, str) else entry._asdict()
                for name, entry in name_metrics(compiled).items()
            },
            "precision": compiled.precision,
            "clip_norm": compiled.clip_norm,
            "clip_value": compiled.clip_value,
            "accumulate": compiled.accumulate,
            "ema": compiled.ema,
        }
    return description


def read(plain: Mapping[str, Any]) -> Description:
    """Return what a description says.

    Raises
    ------
    ValueError, TypeError
        When an entry is missing, unknown, or says nothing that nnext understands.
    """
    is_compiled = "optimizer" in plain
    known = [*_NETWORK, *(_COMPILED if is_compiled else ())]
    missing = [name for name in known if name not in plain and name not in _ABSENT]
    unknown = [name for name in plain if name not in known]
    if missing or unknown:
        raise ValueError(f"[description] it lacks {missing} and has the unknown {unknown}; it has the entries {known}")
    return Description(
        **_checked(_NETWORK, {**_ABSENT, **plain}),
        compiled=Settings(**_checked(_COMPILED, {**_ABSENT, **plain})) if is_compiled else None,
    )


def _checked(checks: Mapping[str, Check], plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: check("description", name, plain[name]) for name, check in checks.items()}


# ---- Entries --------------------------------------------------------------------------------------------------------


def _list(operation: str, name: str, value: Any, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise TypeError(f"[{operation}] {name} is {value!r}; it must be a list" + (f" of {length}" if length else ""))
    return value


def _layers(operation: str, name: str, value: Any) -> tuple[Layer, ...]:
    layers = tuple(Layer.from_config(config) for config in _list(operation, name, value))
    if not layers:
        raise ValueError(f"[{operation}] there are no layers")
    return layers


def _input_shape(operation: str, name: str, value: Any) -> Shape | None:
    return None if value is None else _check.shape(operation, name, _list(operation, name, value))


def _numbering(operation: str, name: str, value: Any) -> Numbering:
    """Return it; the core has 13 bits for either number."""
    layers, inner = _list(operation, name, value, 2)
    few = partial(_check.integer, low=0, high=2**13 - 1)
    return Numbering(few(operation, name, layers), few(operation, name, inner))


def _names(operation: str, name: str, value: Any) -> list[str]:
    names = _list(operation, name, value)
    if not all(isinstance(path, str) for path in names) or len(set(names)) < len(names):
        raise TypeError(f"[{operation}] {name} is {value!r}; it must be a list of different strings")
    return names


_count = partial(_check.integer, low=0)


def _counters(operation: str, name: str, value: Any) -> Counters:
    steps, epochs = _list(operation, name, value, 2)
    return _count(operation, name, steps), _count(operation, name, epochs)


def _progress(operation: str, name: str, value: Any) -> dict[str, Progress]:
    if not isinstance(value, dict):
        raise TypeError(f"[{operation}] {name} is {value!r}; it must be an object, with an entry for each tensor")
    return {path: _progress_of(operation, f"{name} of {path}", pair) for path, pair in value.items()}


def _progress_of(operation: str, name: str, value: Any) -> Progress:
    steps, product = _list(operation, name, value, 2)
    return _count(operation, name, steps), _check.number(operation, name, product, low=0, high=1)


def _position(operation: str, name: str, value: Any) -> Position:
    epochs, step, steps = _list(operation, name, value, 3)
    position = Position(
        _check.number(operation, name, epochs, low=0), _count(operation, name, step), _count(operation, name, steps)
    )
    if (step or steps) and not 0 < step < steps:
        raise ValueError(f"[{operation}] {name} is {value!r}; the steps done must be fewer than all, or both 0")
    return position


def _loss(operation: str, name: str, value: Any) -> Loss | Named:
    return _function(operation, name, value) or Loss.from_config(value)


def _metrics(operation: str, name: str, value: Any) -> dict[str, str | Named]:
    if not isinstance(value, dict):
        raise TypeError(f"[{operation}] {name} is {value!r}; it must be an object, with an entry for each metric")
    return {
        key: _function(operation, name, entry) or _check.choice(operation, "metric", entry, metrics.names())
        for key, entry in value.items()
    }


def _function(operation: str, name: str, value: Any) -> Named | None:
    """Return what stands for a function of the user's, if the value does."""
    if not isinstance(value, dict) or "function" not in value:
        return None
    if len(value) > 1 or not isinstance(value["function"], str):
        raise TypeError(f"[{operation}] {name} is {value!r}; a function has its name and nothing else")
    return Named(value["function"])


def _optimizer(operation: str, name: str, value: Any) -> Optimizer:
    return Optimizer.from_config(value)


def _optional(check: Check) -> Check:
    return lambda operation, name, value: None if value is None else check(operation, name, value)


def _seen(operation: str, name: str, value: Any) -> Seen:
    """Return what data have told; entries may be missing, and None is one that they have not."""
    if not isinstance(value, dict) or not value.keys() <= _SEEN.keys():
        raise TypeError(f"[{operation}] {name} is {value!r}; it must be an object with the entries {list(_SEEN)}")
    told = {key: told for key, told in value.items() if told is not None}
    return Seen(**{key: _SEEN[key](operation, f"{name}: {key}", entry) for key, entry in told.items()})


def _pair(operation: str, name: str, value: Any) -> tuple[int, int]:
    low, high = (_check.integer(operation, name, number, low=-1, high=1) for number in _list(operation, name, value, 2))
    return low, high


def _classes(operation: str, name: str, value: Any) -> tuple[str, ...]:
    names = _names(operation, name, value)
    if names != sorted(names):
        raise ValueError(f"[{operation}] {name} is {names!r}; it must be in order")
    return tuple(names)


def _scale(operation: str, name: str, value: Any) -> float:
    scale = _check.number(operation, name, value)
    if scale == 0:
        raise ValueError(f"[{operation}] {name} is 0; it must not be")
    return scale


_SEEN: Mapping[str, Check] = {"exclusive": _check.flag, "pair": _pair, "classes": _classes, "scale": _scale}
_NETWORK: Mapping[str, Check] = {
    "dtype": partial(_check.choice, known=("float32", "float64")),
    "seed": partial(_check.integer, low=0, high=2**64 - 1),
    "layers": _layers,
    "input_shape": _input_shape,
    "numbering": _numbering,
    "frozen": _names,
    "counters": _counters,
    "progress": _progress,
    "position": _position,
    "seen": _seen,
}
_COMPILED: Mapping[str, Check] = {
    "loss": _loss,
    "optimizer": _optimizer,
    "metrics": _metrics,
    "precision": partial(_check.choice, known=("float32", "bf16")),
    "clip_norm": _optional(partial(_check.number, above=0)),
    "clip_value": _optional(partial(_check.number, above=0)),
    "accumulate": partial(_check.integer, low=1),
    "ema": _optional(partial(_check.number, above=0, below=1)),
}
# What older files mean.
_ABSENT: Mapping[str, Any] = {
    "input_shape": None,
    "numbering": [0, 0],
    "precision": "float32",
    "clip_norm": None,
    "clip_value": None,
    "position": [0.0, 0, 0],
    "accumulate": 1,
    "ema": None,
    "seen": {},
}
