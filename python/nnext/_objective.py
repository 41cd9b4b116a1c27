"""The two ways to a loss: the core computes it, or a function of the user's, which it calls in every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnext._compiled import Compiled
from nnext._engine import Engine, HostLoss
from nnext._samples import Samples
from nnext.losses import CustomLoss
from nnext.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Data:
    """Samples and targets, checked once."""

    rows: int
    y: Array
    X: Any
    samples: Any  # the core's, of X
    outputs: Array | None  # where an epoch leaves the network's outputs, if someone wants them
    scale: float
    weights: Any = None  # as they were given

    @property
    def weight(self) -> float:
        """How much all samples count together: their number, where they have no weights; each may have one a label."""
        if self.weights is None:
            return float(self.rows)
        weights = np.asarray(self.weights, dtype=np.float64)
        return float(weights.sum() / (weights.size / len(weights)))


class Epoch(NamedTuple):
    """What happened in an epoch."""

    loss: float
    outputs: Array | None
    steps: int  # until it diverged, if it did
    lr: float
    diverged: bool


class CoreLoss:
    """A loss that the core computes."""

    def __init__(self, engine: Engine, optimizer: Optimizer) -> None:
        self.engine, self.optimizer = engine, optimizer

    def data(self, given: Samples, operation: str, scale: float, keep_outputs: bool = False) -> Data:
        """Check samples and targets."""
        X, y, weight, rows = given
        samples = self.engine.samples(X, y, weight, operation, scale, rows)
        outputs = np.empty((samples.rows, samples.outputs), self.engine.dtype) if keep_outputs else None
        return Data(samples.rows, np.asarray(y), X, samples, outputs, scale, weight)

    def epoch(self, data: Data, batch_size: int, shuffle: bool) -> Epoch:
        """Go through all samples once."""
        lr = self.optimizer.lr
        loss, steps, diverged = self.engine.fit_epoch(data.samples, data.outputs, batch_size, shuffle, lr)
        return Epoch(loss, data.outputs, steps, lr, diverged)

    def batch(self, data: Data) -> Epoch:
        """Take one step, with all samples; it counts as no epoch."""
        lr = self.optimizer.lr
        loss, steps, diverged = self.engine.fit_batch(data.samples, data.outputs, lr)
        return Epoch(loss, data.outputs, steps, lr, diverged)

    def evaluate(self, data: Data) -> tuple[float, Array]:
        """Return loss and outputs, in evaluation mode."""
        return self.engine.evaluate(data.samples)

    def loss_and_gradients(self, data: Data) -> float:
        """Return the loss in training mode; the engine keeps the gradients."""
        return self.engine.loss_and_gradients(data.samples)


class OwnLoss:
    """A function ``f(y_pred, y) -> (loss, grad)`` of the user's."""

    def __init__(self, engine: Engine, optimizer: Optimizer, function: CustomLoss) -> None:
        self.engine, self.optimizer, self.function = engine, optimizer, function

    def data(self, given: Samples, operation: str, scale: float, keep_outputs: bool = False) -> Data:
        """Check samples; what y may hold is the function's affair."""
        X, y, weight, rows = given
        if weight is not None:
            raise ValueError(f"[{operation}] weights do not work with a loss function of your own; weight inside it")
        samples, targets = self.engine.samples(X, None, None, operation, scale, rows), np.asanyarray(y)
        if targets.ndim == 0 or samples.rows != len(targets):
            raise ValueError(
                f"[{operation}] y has shape {targets.shape} but X has {samples.rows} rows; give one entry a sample"
            )
        outputs = np.empty((samples.rows, samples.outputs), self.engine.dtype) if keep_outputs else None
        return Data(samples.rows, targets, X, samples, outputs, scale)

    def epoch(self, data: Data, batch_size: int, shuffle: bool) -> Epoch:
        """Go through all samples once; the function is called in every step."""
        lr, call = self.optimizer.lr, self._host(data)
        loss, steps, diverged = self.engine.fit_epoch(data.samples, data.outputs, batch_size, shuffle, lr, call)
        return Epoch(loss, data.outputs, steps, self.optimizer.lr, diverged)

    def batch(self, data: Data) -> Epoch:
        """Take one step, with all samples; it counts as no epoch."""
        loss, steps, diverged = self.engine.fit_batch(data.samples, data.outputs, self.optimizer.lr, self._host(data))
        return Epoch(loss, data.outputs, steps, self.optimizer.lr, diverged)

    def _host(self, data: Data) -> HostLoss:
        """Return the function as the core calls it."""

        def call(y_pred: Array, rows: Array) -> tuple[float, Array, float]:
            value, grad = self._call(y_pred, data.y[rows])
            return value, grad, self.optimizer.lr  # as the function may have set it

        return call

    def evaluate(self, data: Data) -> tuple[float, Array]:
        """Return loss and outputs, in evaluation mode."""
        outputs = self.engine.outputs(data.samples)
        return self._call(outputs, data.y)[0], outputs

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
        return OwnLoss(engine, compiled.optimizer, compiled.loss)
    return CoreLoss(engine, compiled.optimizer)
