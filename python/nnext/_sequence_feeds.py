"""Sequences in a list as what a fit trains on and validates with: batches of about one length, padded as they come."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _ends, _samples, _sequences
from nnext._feeds import ArrayValidation, Passed, Sums, Validation, require_finite
from nnext._objective import Data
from nnext._prepare import Preparer
from nnext._samples import Samples

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


_EVALUATED_TOGETHER = 128  # sequences


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
            require_finite(done, epoch, step)
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
