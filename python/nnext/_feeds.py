"""What a fit trains on and validates with, epoch by epoch: arrays, or batches that are handed over."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from nnext import _samples
from nnext._batches import Batches
from nnext._objective import Data, Epoch
from nnext._prepare import Preparer
from nnext._warn import warn
from nnext.errors import DivergenceError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Passed(NamedTuple):
    """What a pass over all samples gave: their loss, and for metrics their targets, outputs and weights."""

    loss: float
    y: Any
    outputs: Array | None
    weight: Any = None  # None: all count alike
    ended_early: int | None = None  # after so many steps, as the time was over
    by_steps: bool = False  # targets, outputs and weights are those of steps that count, not of samples

    @classmethod
    def of(cls, data: Data, loss: float, outputs: Array | None, ended_early: int | None = None) -> Passed:
        """Return what a pass over samples gave; of sequences with ends of their own the steps that count."""
        if data.ends is None or outputs is None:
            return cls(loss, data.y, outputs, data.sample_weight, ended_early)
        ends, weight = data.ends, None if data.sample_weight is None else np.asarray(data.sample_weight)
        if weight is not None:
            weight = ends.those_that_count(weight) if ends.has_steps(weight) else ends.repeated(weight)
        y = ends.those_that_count(data.y) if ends.has_steps(data.y) else ends.repeated(data.y)
        return cls(loss, y, ends.those_that_count(outputs), weight, ended_early, by_steps=True)


class Feed(Protocol):
    """Samples that are trained on, epoch by epoch."""

    samples: int | None  # of an epoch, where that is known
    ended: str | None  # why there is no further epoch

    def goes_on(self, epoch: int) -> bool: ...
    def train(self, epoch: int, deadline: float) -> Passed: ...  # ends after the step in which that passes
    def close(self) -> None: ...


class Validation(Protocol):
    """Samples that are evaluated again and again."""

    def evaluate(self) -> Passed: ...
    def close(self) -> None: ...


# ---- Arrays ---------------------------------------------------------------------------------------------------------


class ArrayFeed:
    """All samples in every epoch, in batches of one size."""

    ended: str | None = None

    def __init__(self, preparer: Preparer, data: Data, batch_size: int, shuffle: bool) -> None:
        self.samples: int | None = data.rows
        self._preparer, self._data, self._batch_size, self._shuffle = preparer, data, batch_size, shuffle

    def goes_on(self, epoch: int) -> bool:
        """Tell whether there is such an epoch."""
        return True

    def train(self, epoch: int, deadline: float) -> Passed:
        """Go through all samples once."""
        seconds = None if deadline == math.inf else deadline - time.monotonic()
        done = self._preparer.objective.epoch(self._data, self._batch_size, self._shuffle, seconds)
        require_finite(done, epoch)
        return Passed.of(self._data, done.loss, done.outputs, done.steps if done.ended_early else None)

    def close(self) -> None:
        """Do nothing."""


class ArrayValidation:
    """Samples that were checked once."""

    def __init__(self, preparer: Preparer, data: Data) -> None:
        self._preparer, self._data = preparer, data

    def evaluate(self) -> Passed:
        """Return the loss in evaluation mode."""
        return Passed.of(self._data, *self._preparer.objective.evaluate(self._data))

    def close(self) -> None:
        """Do nothing."""


def require_finite(done: Epoch, epoch: int, before: int = 0) -> None:
    if done.diverged:
        raise DivergenceError(epoch, before + done.steps, done.lr)


# ---- Batches --------------------------------------------------------------------------------------------------------


class BatchFeed:
    """A step for every batch, of whatever size."""

    samples: int | None = None
    ended: str | None = None

    def __init__(
        self,
        preparer: Preparer,
        batches: Batches,
        steps: int | None,
        class_weight: Mapping[Any, float] | None,
        keep_outputs: bool,
    ) -> None:
        self._preparer, self._batches, self._steps = preparer, batches, steps
        self._class_weight, self._keep = class_weight, keep_outputs
        first = batches.peek()
        if first is None:
            raise ValueError("[fit] there are no batches; give at least one (X, y) in every epoch")
        self._data(*first)  # what is wrong with it is told before anything has begun

    def _data(self, operation: str, given: _samples.Samples) -> Data:
        samples = self._preparer.settle(operation, given, is_batch=True)
        samples = self._preparer.weigh(samples, self._class_weight)
        return self._preparer.data(operation, samples, self._keep)

    def goes_on(self, epoch: int) -> bool:
        """Tell whether there is such an epoch: batches that can be read once only may have ended with the last."""
        if self.ended is None and self._batches.once and self._batches.peek() is None:
            self._end(f"the batches ended after epoch {epoch - 1}")
        return self.ended is None

    def train(self, epoch: int, deadline: float) -> Passed:
        """Go through the batches of an epoch, or as many as it has steps."""
        objective, sums, steps = self._preparer.objective, Sums(self._keep), 0
        objective.engine.begin_epoch(0, False)
        all_steps = self._steps or self._batches.length
        for operation, given in self._batches.read():
            if time.monotonic() >= deadline:
                return Passed(math.nan, None, None, ended_early=steps)
            data = self._data(operation, given)
            done = objective.batch(data, steps, all_steps)
            require_finite(done, epoch, steps)
            sums.add(operation, data, done.loss, done.outputs)
            steps += done.steps
        if self._steps is not None and steps < self._steps:
            self._end(f"the batches ended in epoch {epoch} after {steps} of {self._steps} steps")
        return sums.passed()

    def _end(self, why: str) -> None:
        self.ended = why
        warn(
            f"[fit] {why}, and with them the fit; give a list, a function that returns an iterator for every epoch, "
            "fewer epochs or a smaller steps_per_epoch"
        )

    def close(self) -> None:
        """Read no further."""
        self._batches.close()


class BatchValidation:
    """Batches that are read anew for every evaluation."""

    def __init__(self, preparer: Preparer, batches: Batches, learn: bool, keep_outputs: bool) -> None:
        self._preparer, self._batches, self._learn, self._keep = preparer, batches, learn, keep_outputs
        first = batches.peek()
        if first is None:
            raise ValueError(f"[{batches.operation}] there are no batches; give at least one (X, y)")
        self._data(*first)

    def _data(self, operation: str, given: _samples.Samples) -> Data:
        return self._preparer.data(operation, self._preparer.settle(operation, given, self._learn, is_batch=True))

    def evaluate(self) -> Passed:
        """Return the loss in evaluation mode."""
        sums = Sums(self._keep)
        for operation, given in self._batches.read():
            data = self._data(operation, given)
            sums.add(operation, data, *self._preparer.objective.evaluate(data))
        return sums.passed()

    def close(self) -> None:
        """Read no further."""
        self._batches.close()


class Sums:
    """The loss of batches that go by, as that of all their samples; their targets and outputs, if they are kept."""

    def __init__(self, keep: bool) -> None:
        self._keep, self._loss, self._weight = keep, 0.0, 0.0
        self._y: list[Array] = []
        self._outputs: list[Array] = []
        self._weights: list[Array | None] = []
        self._by_steps = False

    def add(self, operation: str, data: Data, loss: float, outputs: Array | None) -> None:
        """Take a batch."""
        self._loss += loss * data.weight
        self._weight += data.weight
        if not self._keep or outputs is None:
            return
        _, y, outputs, weight, _, self._by_steps = Passed.of(data, loss, outputs)
        if self._y and y.shape[1:] != self._y[0].shape[1:]:
            raise ValueError(
                f"[{operation}] y has shape {y.shape} but that of the first batch {self._y[0].shape}; give all "
                "batches targets of one kind"
            )
        self._y.append(y)
        self._outputs.append(np.asarray(outputs))
        self._weights.append(None if weight is None else np.asarray(weight, np.float64))

    def passed(self) -> Passed:
        """Return what they are together."""
        loss = self._loss / self._weight if self._weight else float("nan")
        if not self._y:
            return Passed(loss, None, None)
        y, outputs = np.concatenate(self._y), np.concatenate(self._outputs)
        return Passed(loss, y, outputs, self._joined_weights(), by_steps=self._by_steps)

    def _joined_weights(self) -> Array | None:
        """Return those of all batches: where there are none 1, and one of a sample for all its numbers."""
        given = [weight for weight in self._weights if weight is not None]
        if not given:
            return None
        shape = max((weight.shape[1:] for weight in given), key=len)
        joined = np.ones((sum(map(len, self._y)), *shape))
        first = 0
        for y, weight in zip(self._y, self._weights, strict=True):
            if weight is not None:
                each = weight if weight.shape[1:] == shape else weight.reshape(-1, *(1 for _ in shape))
                joined[first : first + len(y)] = each
            first += len(y)
        return joined
