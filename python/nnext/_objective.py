"""The two ways to a loss: the core computes it, or a function of the user's, which it calls in every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnext import _ends
from nnext._compiled import Compiled
from nnext._engine import Engine
from nnext._passes import HostLoss
from nnext._samples import Samples
from nnext.losses import CustomLoss
from nnext.optimizers import Optimizer
from nnext.schedules import Schedule

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Settings = dict[str, float | Array]  # of the optimizer: one value for all steps of an epoch, or one for each


@dataclass(frozen=True)
class Data:
    """Samples and targets, checked once."""

    rows: int
    y: Array
    X: Any
    samples: Any  # the core's, of X
    outputs: Array | None  # where an epoch leaves the network's outputs, if someone wants them
    scale: float
    sample_weight: Any = None  # as it was given, for metrics
    ends: _ends.Ends | None = None  # of the outputs, where sequences have ends of their own

    @property
    def weight(self) -> float:
        """How much all samples count together: their number, where they have no weights."""
        return float(self.samples.weight)

    def steps(self, batch_size: int, accumulate: int) -> int:
        """Return how many an epoch has, of so many batches each."""
        return -(-self.rows // (batch_size * accumulate))


class Epoch(NamedTuple):
    """What happened in an epoch."""

    loss: float
    outputs: Array | None
    steps: int  # until it diverged, if it did
    lr: float  # of the step that it diverged in, if it did
    diverged: bool
    ended_early: bool = False


def _of_epoch(value: float | Schedule, start: Callable[[], float], steps: int) -> float | Array:
    """Return what a setting is in an epoch that starts there."""
    return value.values(start(), steps) if isinstance(value, Schedule) else value


def _of_step(values: float | Array, step: int) -> float:
    """Return what it is in a step; where the epoch has no such step any more, as in the last one."""
    return float(values[min(step, len(values) - 1)]) if isinstance(values, np.ndarray) else values


def _settings_of_step(optimizer: Optimizer, engine: Engine, step: int, steps: int | None) -> dict[str, float]:
    """Return the settings of a step that is handed over alone."""
    return {name: _alone(name, value, engine, step, steps) for name, value in optimizer.changing().items()}


def _alone(name: str, value: float | Schedule, engine: Engine, step: int, steps: int | None) -> float:
    if not isinstance(value, Schedule):
        return value
    if steps is None:
        raise ValueError(
            f"[fit] {name} is {value!r}, whose lengths are in epochs, but nobody knows how many steps an epoch of "
            "these batches has; give steps_per_epoch, or batches that have a length"
        )
    return _of_step(value.values(engine.position.epochs, steps), step)


def _rate(optimizer: Optimizer, settings: Mapping[str, float | Array], step: int) -> float:
    """Return the learning rate of a step; that of a rule whose rate cannot change is the optimizer's."""
    return _of_step(settings["lr"], step) if "lr" in settings else _of_step(optimizer.rule()["lr"], step)


class CoreLoss:
    """A loss that the core computes. A step of a fit takes `accumulate` batches."""

    def __init__(self, engine: Engine, optimizer: Optimizer, accumulate: int) -> None:
        self.engine, self.optimizer, self.accumulate = engine, optimizer, accumulate

    def data(self, given: Samples, operation: str, scale: float, keep_outputs: bool = False) -> Data:
        """Check samples and targets."""
        X, y, weights = given.X, given.y, given.weights
        samples = self.engine.samples(X, y, weights, operation, scale, given.rows)
        outputs = np.empty((samples.rows, *samples.output_shape), self.engine.dtype) if keep_outputs else None
        ends = _ends.ends(self.engine, X, given.rows)
        return Data(samples.rows, np.asarray(y), X, samples, outputs, scale, given.weight, ends)

    def epoch(self, data: Data, batch_size: int, shuffle: bool, seconds: float | None = None) -> Epoch:
        """Go through all samples once, or until `seconds` are over."""
        all_steps = data.steps(batch_size, self.accumulate)
        of = partial(_of_epoch, start=lambda: self.engine.position.in_epochs(), steps=all_steps)
        settings: Settings = {name: of(value) for name, value in self.optimizer.changing().items()}
        loss, steps, diverged, ended_early = self.engine.fit_epoch(
            data.samples, data.outputs, batch_size, shuffle, settings, None, seconds
        )
        return Epoch(loss, data.outputs, steps, _rate(self.optimizer, settings, steps), diverged, ended_early)

    def batch(self, data: Data, step: int, steps: int | None) -> Epoch:
        """Take one step, with all samples: of an epoch that has so many, None where nobody knows."""
        settings = _settings_of_step(self.optimizer, self.engine, step, steps)
        loss, done, diverged = self.engine.fit_batch(data.samples, data.outputs, settings, steps or 0)
        return Epoch(loss, data.outputs, done, _rate(self.optimizer, settings, 0), diverged)

    def evaluate(self, data: Data) -> tuple[float, Array]:
        """Return loss and outputs, in evaluation mode."""
        return self.engine.evaluate(data.samples)

    def loss_and_gradients(self, data: Data) -> float:
        """Return the loss in training mode; the engine keeps the gradients."""
        return self.engine.loss_and_gradients(data.samples)


class OwnLoss:
    """A function ``f(y_pred, y) -> (loss, grad)`` of the user's."""

    def __init__(self, engine: Engine, optimizer: Optimizer, accumulate: int, function: CustomLoss) -> None:
        self.engine, self.optimizer, self.accumulate, self.function = engine, optimizer, accumulate, function

    def data(self, given: Samples, operation: str, scale: float, keep_outputs: bool = False) -> Data:
        """Check samples; what y may hold is the function's affair."""
        X, y, rows = given.X, given.y, given.rows
        if given.weights is not None:
            raise ValueError(f"[{operation}] weights do not work with a loss function of your own; weight inside it")
        samples, targets = self.engine.samples(X, None, None, operation, scale, rows), np.asanyarray(y)
        if targets.ndim == 0 or samples.rows != len(targets):
            raise ValueError(
                f"[{operation}] y has shape {targets.shape} but X has {samples.rows} rows; give one entry a sample"
            )
        outputs = np.empty((samples.rows, *samples.output_shape), self.engine.dtype) if keep_outputs else None
        return Data(samples.rows, targets, X, samples, outputs, scale, ends=_ends.ends(self.engine, X, rows))

    def epoch(self, data: Data, batch_size: int, shuffle: bool, seconds: float | None = None) -> Epoch:
        """Go through all samples once, or until `seconds` are over; the function is called for every batch."""
        start, batch = self.engine.position.in_epochs(), count()
        of = lru_cache(16)(partial(_of_epoch, start=lambda: start, steps=data.steps(batch_size, self.accumulate)))

        def settings(step: int) -> dict[str, float]:
            return {name: _of_step(of(value), step) for name, value in self.optimizer.changing().items()}

        host = self._host(data, lambda: settings(next(batch) // self.accumulate))
        loss, steps, diverged, ended_early = self.engine.fit_epoch(
            data.samples, data.outputs, batch_size, shuffle, dict(settings(0)), host, seconds
        )
        return Epoch(loss, data.outputs, steps, _rate(self.optimizer, settings(steps), 0), diverged, ended_early)

    def batch(self, data: Data, step: int, steps: int | None) -> Epoch:
        """Take one step, with all samples: of an epoch that has so many, None where nobody knows."""

        def settings() -> dict[str, float]:
            return _settings_of_step(self.optimizer, self.engine, step, steps)

        host = self._host(data, settings)
        loss, done, diverged = self.engine.fit_batch(data.samples, data.outputs, settings(), steps or 0, host)
        return Epoch(loss, data.outputs, done, _rate(self.optimizer, settings(), 0), diverged)

    def _host(self, data: Data, settings: Callable[[], dict[str, float]]) -> HostLoss:
        """Return the function as the core calls it; it may set the optimizer's settings anew."""

        def call(y_pred: Array, rows: Array) -> tuple[float, Array, dict[str, float]]:
            value, grad = self._call(y_pred, data.y[rows])
            return value, grad, settings()

        return call

    def evaluate(self, data: Data) -> tuple[float, Array]:
        """Return loss and outputs, in evaluation mode."""
        outputs = self.engine.outputs(data.samples)
        return self._call(outputs, data.y)[0], outputs

    def gradients(self, y_pred: Array, y: Array) -> Array:
        """Return the gradient of each sample's own loss in its outputs: the function gets one sample at a time."""
        return np.concatenate([self._call(y_pred[i : i + 1], y[i : i + 1])[1] for i in range(len(y_pred))])

    def loss_and_gradients(self, data: Data) -> float:
        """Return the loss in training mode; the engine keeps the gradients."""
        value, grad = self._call(self.engine.forward(data.X, True, data.scale), data.y)
        self.engine.backward(grad)
        return value

    def _call(self, y_pred: Array, y: Array) -> tuple[float, Array]:
        """Call the function and check what it gives."""
        result = self.function(y_pred, y)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(f"[fit] the loss function gave {type(result).__name__}; it must return (loss, grad)")
        value, grad = float(result[0]), np.asarray(result[1])
        if grad.shape != y_pred.shape:
            raise ValueError(
                f"[fit] the loss function gave a gradient of shape {grad.shape} for y_pred of shape {y_pred.shape}; "
                "they must be equal"
            )
        return value, grad


def objective(engine: Engine, compiled: Compiled) -> CoreLoss | OwnLoss:
    """Return the way to the compiled loss."""
    if callable(compiled.loss):
        return OwnLoss(engine, compiled.optimizer, compiled.accumulate, compiled.loss)
    return CoreLoss(engine, compiled.optimizer, compiled.accumulate)
