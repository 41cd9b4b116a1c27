"""What a fit was given: its options, and what it trains on and validates with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _measure, _samples, _targets
from nnext._batches import Batches, are_batches
from nnext._compiled import Compiled
from nnext._decision import Seen
from nnext._feeds import ArrayFeed, BatchFeed, BatchValidation, Feed, Validation
from nnext._prepare import Preparer
from nnext._samples import Samples
from nnext._sequence_feeds import SequenceFeed, array_validation, check_sequences
from nnext._sequences import Ragged
from nnext._state import State
from nnext.callbacks import Callback
from nnext.schedules import Schedule

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


_PAD = "each batch of it is a step; give padded(X), compile with accumulate=1, or choose a larger batch_size"
_NO_ACCUMULATE = "each of them is a step; hand over larger ones, compile with accumulate=1, or give X and y"


@dataclass(frozen=True)
class Checkpoint:
    """Where a training stood that is to go on."""

    state: State
    seen: Seen
    settings: Mapping[str, float | Schedule]  # of the optimizer, that may change in a training


@dataclass(frozen=True)
class FitOptions:
    """The arguments of `Sequential.fit` beside X and y."""

    epochs: int
    steps_per_epoch: int | None  # of batches
    batch_size: int | None
    validation_data: Any
    validation_split: float
    validation_order: str
    shuffle: bool | None
    sample_weight: npt.ArrayLike | None
    class_weight: Mapping[Any, float] | str | None
    callbacks: tuple[Callback, ...]
    verbose: Any
    max_time: float | None  # seconds
    scale: float  # on every X; the core checks it
    resume: Checkpoint | None

    @property
    def first_epoch(self) -> int:
        """The number of the first epoch: an epoch that was cut off is not counted."""
        return 0 if self.resume is None else int(self.resume.state.position.epochs)


def check_for_batches(operation: str, class_weight: Any, compiled: Compiled) -> None:
    """Refuse what no batch by itself can obey."""
    _refuse(
        operation,
        "batches",
        ("class_weight", class_weight, isinstance(class_weight, str), "give a dict of weights"),
        ("accumulate", compiled.accumulate, compiled.accumulate > 1, _NO_ACCUMULATE),
    )


def _refuse(operation: str, given: str, *rows: tuple[str, Any, bool, str]) -> None:
    for name, value, wrong, cure in rows:
        if wrong:
            raise ValueError(f"[{operation}] {name} is {value!r}, which cannot be obeyed with {given}; {cure}")


class Given:
    """What a fit trains on and validates with, checked once or, where they are batches, as they come.

    Attributes
    ----------
    feed : Feed
    validation : Validation or None
    validation_rows : ndarray of int, or None
        That validation_split holds out.
    """

    feed: Feed
    validation: Validation | None = None
    validation_rows: Array | None = None

    def __init__(self, preparer: Preparer, options: FitOptions, seed: int) -> None:
        self.preparer, self.options, self._seed = preparer, options, seed
        self._keeps_outputs = bool(preparer.compiled.metrics)
        self._batches: list[Batches] = []

    def close(self) -> None:
        """Read no batch any more."""
        for batches in self._batches:
            batches.close()

    def take_arrays(self, given: Samples) -> None:
        """Train on X and y."""
        options = self.options
        if options.steps_per_epoch is not None:
            raise ValueError(
                "[fit] steps_per_epoch is for batches, but X and y are given; an epoch goes through all of X"
            )
        samples, held, strata = self._divided(self.preparer.settle("fit", given))
        samples = self.preparer.weigh(samples, options.class_weight)
        self.feed = self._feed_of(samples)
        if held is None:
            return self._take_validation()
        self._validate_with("fit: validation_data", held)
        if strata is not None:
            _samples.warn_of_order(strata, len(held.y), options.validation_order)

    def _feed_of(self, samples: Samples) -> Feed:
        """Return samples as what is trained on."""
        options, compiled, keeps = self.options, self.preparer.compiled, self._keeps_outputs
        batch_size, shuffle = options.batch_size or compiled.optimizer.batch_size, options.shuffle is not False
        if not isinstance(samples.X, Ragged):
            data = self.preparer.data("fit", samples, keeps)
            self._try_out(data.y, data.sample_weight)
            return ArrayFeed(self.preparer, data, batch_size or data.rows, shuffle)
        stateful = any(getattr(layer, "stateful", False) for layer in self.preparer.objective.engine.layers)
        _refuse(
            "fit",
            "a list of sequences",
            ("accumulate", compiled.accumulate, compiled.accumulate > 1, _PAD),
            ("stateful", stateful, stateful, "batches of it come in an order of their own; give arrays"),
        )
        samples = self.preparer.counted("fit", samples)
        check_sequences(self.preparer, "fit", samples)
        self._try_out(samples.y, samples.weight)
        return SequenceFeed(self.preparer, samples, batch_size or len(samples.y), shuffle, keeps)

    def take_batches(self, given: Any) -> None:
        """Train on batches that are handed over."""
        options = self.options
        _refuse(
            "fit",
            "batches",
            ("shuffle", options.shuffle, options.shuffle is True, "shuffle where they are made"),
            ("batch_size", options.batch_size, options.batch_size is not None, "they have sizes of their own"),
            ("validation_split", options.validation_split, bool(options.validation_split), "give validation_data"),
        )
        check_for_batches("fit", options.class_weight, self.preparer.compiled)
        passes = max(options.epochs - options.first_epoch, 1)
        batches = Batches("fit", given, passes, options.steps_per_epoch)
        self._batches.append(batches)
        class_weight: Any = options.class_weight
        self.feed = BatchFeed(
            self.preparer, batches, options.steps_per_epoch, class_weight, keep_outputs=self._keeps_outputs
        )
        self._take_validation()

    def _take_validation(self) -> None:
        """Validate with what the user gives for it, if that is something."""
        given, operation = self.options.validation_data, "fit: validation_data"
        if given is None:
            return
        if not are_batches(given):
            samples = self.preparer.settle(operation, _samples.given("fit", "validation_data", given), learn=False)
            return self._validate_with(operation, samples)
        if isinstance(given, Iterator):
            raise ValueError(
                "[fit] validation_data is an iterator, which can be read once only; give a list of batches, or a "
                "function that returns an iterator"
            )
        self._batches.append(Batches(operation, given))
        self.validation = BatchValidation(
            self.preparer, self._batches[-1], learn=False, keep_outputs=self._keeps_outputs
        )

    def _divided(self, samples: Samples) -> tuple[Samples, Samples | None, Array | None]:
        """Return the samples to train on, those to validate with, and the class of each where it has one."""
        options = self.options
        if not options.validation_split:
            return samples, None, None
        if options.validation_data is not None:
            raise ValueError("[fit] both validation_data and validation_split are given; give one of them")
        samples = _samples.sequences("fit", samples)
        strata = _targets.strata(samples.y, self.preparer.decision)
        rows, count = len(samples.y), _samples.held_count(options.validation_split, len(samples.y))
        if options.validation_order == "last":
            self.validation_rows = np.arange(rows - count, rows)
        else:
            self.validation_rows = _samples.shuffled_rows(count, rows, strata, self._seed)
        return *_samples.divide(samples, self.validation_rows), strata

    def _validate_with(self, operation: str, samples: Samples) -> None:
        samples = self.preparer.counted(operation, samples)
        if isinstance(samples.X, Ragged):
            check_sequences(self.preparer, operation, samples)
        self.validation = array_validation(self.preparer, operation, samples, self._keeps_outputs)
        self._try_out(samples.y, samples.weight)

    def _try_out(self, y: Any, weight: Any) -> None:
        """Let the metrics look at targets."""
        _measure.try_out(self.preparer.compiled.metrics, self.preparer.decision, y, weight)
