"""What a fit trains on and validates with, epoch by epoch: arrays, or batches that are handed over."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from nnext import _ends, _samples, _sequences
from nnext._batches import Batches
from nnext._objective import Data, Epoch
from nnext._prepare import Preparer
from nnext._samples import Samples
from nnext._warn import warn
from nnext.errors import DivergenceError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


_EVALUATED_TOGETHER = 128  # sequences in a list


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
        _require_finite(done, epoch)
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


def _require_finite(done: Epoch, epoch: int, before: int = 0) -> None:
    if done.diverged:
        raise DivergenceError(epoch, before + done.steps, done.lr)


# ---- Sequences in lists ---------------------------------------------------------------------------------------------


class SequenceFeed:
    """Sequences of different lengths, a step for every batch, which is padded when it comes."""

    ended: str | None = None

    def __init__(
        self, preparer: Preparer, samples: Samples, batch_size: int, shuffle: bool, keep_outputs: bool
    ) -> None:
        self.samples: int | None = len(samples.y)
        self._preparer, self._given, self._keep = preparer, samples, keep_outputs
        self._batch_size, self._shuffle = batch_size, shuffle

    def _data(self, rows: Array) -> Data:
        return padded_data(self._preparer, "fit", self._given, rows, self._keep)

    def goes_on(self, epoch: int) -> bool:
        """Tell whether there is such an epoch."""
        return True

    def train(self, epoch: int, deadline: float) -> Passed:
        """Go through all samples once."""
        objective, sums, count = self._preparer.objective, Sums(self._keep), len(self._given.y)
        order = objective.engine.begin_epoch(count, self._shuffle)
        all_steps = -(-count // self._batch_size)
        for step, rows in enumerate(_batches_of(self._given, order, self._batch_size)):
            if time.monotonic() >= deadline:
                return Passed(math.nan, None, None, ended_early=step)
            data = self._data(rows)
            done = objective.batch(data, step, all_steps)
            _require_finite(done, epoch, step)
            sums.add("fit", data, done.loss, done.outputs)
        return sums.passed()

    def close(self) -> None:
        """Do nothing."""


class SequenceValidation:
    """Sequences of different lengths, evaluated some at a time."""

    def __init__(self, preparer: Preparer, operation: str, samples: Samples, keep_outputs: bool) -> None:
        self._preparer, self._operation, self._given, self._keep = preparer, operation, samples, keep_outputs

    def _data(self, rows: Array) -> Data:
        return padded_data(self._preparer, self._operation, self._given, rows)

    def evaluate(self) -> Passed:
        """Return the loss in evaluation mode."""
        sums = Sums(self._keep)
        for rows in _batches_of(self._given, np.arange(len(self._given.y)), _EVALUATED_TOGETHER):
            data = self._data(rows)
            sums.add(self._operation, data, *self._preparer.objective.evaluate(data))
        return sums.passed()

    def close(self) -> None:
        """Do nothing."""


def _batches_of(given: Samples, order: Array, batch_size: int) -> Iterator[Array]:
    """Yield the rows of batches, among those of the samples."""
    if given.rows is None:
        yield from given.X.batches(order, batch_size)
        return
    places = np.empty(len(given.X), dtype=np.intp)  # of the sequences that these samples are of
    places[given.rows] = np.arange(len(given.rows))
    for rows in given.X.batches(given.rows[order], batch_size):
        yield places[rows]


def padded_data(preparer: Preparer, operation: str, samples: Samples, rows: Array, keep_outputs: bool = False) -> Data:
    """Let the core look at some of the sequences in a list, padded to the longest of them."""

    def look(rows: Array) -> Data:
        some = _samples.rows_of(samples, rows)
        X = samples.X.padded(some.rows)
        ends = _ends.ends(preparer.objective.engine, X)
        if ends is not None:
            y, weight, factors = (_first(values, ends.counts.max()) for values in (some.y, some.weight, some.factors))
            some = some._replace(y=y, weight=weight, factors=factors)
        return preparer.data(operation, some._replace(X=X, rows=None), keep_outputs)

    return _sequences.by_sequences(operation, rows, look, samples.rows)


def _first(values: Any, steps: int) -> Any:
    return values if values is None or values.ndim == 1 else values[:, :steps]


def check_sequences(preparer: Preparer, operation: str, samples: Samples) -> None:
    """Let the core look at all sequences in a list: what is wrong is told before anything has begun."""
    for rows in _batches_of(samples, np.arange(len(samples.y)), _EVALUATED_TOGETHER):
        padded_data(preparer, operation, samples, rows)


def array_validation(preparer: Preparer, operation: str, samples: Samples, keep_outputs: bool) -> Validation:
    """Return settled samples as what is evaluated."""
    if isinstance(samples.X, _sequences.Ragged):
        return SequenceValidation(preparer, operation, preparer.counted(operation, samples), keep_outputs)
    return ArrayValidation(preparer, preparer.data(operation, samples))


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
            _require_finite(done, epoch, steps)
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
