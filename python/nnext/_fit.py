"""How a model is trained: what `fit` does between the epochs that run in C++."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nnext import _measure, _samples, _targets
from nnext._batches import Batches, are_batches, handed_over
from nnext._compiled import Compiled
from nnext._decision import Seen, decide
from nnext._engine import Engine
from nnext._feeds import ArrayFeed, ArrayValidation, BatchFeed, BatchValidation, Feed, Passed, Validation
from nnext._objective import Data
from nnext._prepare import Preparer
from nnext._samples import Samples
from nnext.callbacks import Callback, ProgressBar
from nnext.history import History

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Trainee(Protocol):
    """What a fit needs of a model."""

    history: History | None
    stop_training: bool

    @property
    def engine(self) -> Engine: ...

    @property
    def seen(self) -> Seen: ...

    def remember(self, seen: Seen) -> None: ...


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
    scale: float  # on every X; the core checks it


def fit(model: Trainee, compiled: Compiled, X: Any, y: Any, options: FitOptions) -> History:
    """Train the model; see `Sequential.fit`."""
    batches = handed_over("fit", X, y, options.sample_weight)
    try:  # from here on: Ctrl-C may come as soon as begin_fit has returned
        model.engine.begin_fit(id(options))
        training = _Fit(model, compiled, options)
        try:
            if batches:
                training.take_batches(X)
            else:
                training.take_arrays(Samples(X, y, options.sample_weight))
            return training.run()
        finally:
            training.close()
    finally:
        model.engine.end_fit(id(options))


def evaluate(model: Trainee, compiled: Compiled, given: Samples, scale: float) -> dict[str, float]:
    """Return loss and metrics; see `Sequential.evaluate`."""
    preparer = Preparer(model.engine, compiled, model.seen, scale)
    if handed_over("evaluate", *given[:3]):
        batches = Batches("evaluate", given.X)
        try:
            passed = BatchValidation(preparer, batches, learn=True, keep_outputs=bool(compiled.metrics)).evaluate()
        finally:
            batches.close()
    else:
        data = preparer.data("evaluate", preparer.settle("evaluate", given))
        passed = ArrayValidation(preparer, data).evaluate()
    seen = model.seen.first(preparer.seen)
    values = (
        {}
        if passed.outputs is None
        else _measure.measure(
            compiled.metrics,
            decide(model.engine.layers, passed.outputs.shape[1], compiled.core_loss, seen),
            passed.y,
            passed.outputs,
        )
    )
    model.remember(seen)
    return _measure.Scores({"loss": passed.loss, **values})


def loss_and_gradients(model: Trainee, compiled: Compiled, given: Samples, scale: float) -> float:
    """Return the loss; the engine keeps the gradients. See `Sequential.loss_and_grads`."""
    preparer = Preparer(model.engine, compiled, model.seen, scale)
    data = preparer.data("loss_and_grads", preparer.settle("loss_and_grads", given))
    return preparer.objective.loss_and_gradients(data)


class _Fit:
    """One fit: its data, checked once, and its epochs."""

    feed: Feed
    validation: Validation | None = None
    validation_rows: Array | None = None  # that validation_split holds out

    def __init__(self, model: Trainee, compiled: Compiled, options: FitOptions) -> None:
        self.model, self.compiled, self.options = model, compiled, options
        seen = replace(model.seen, scale=None if options.scale == 1 else options.scale)
        self.preparer = Preparer(model.engine, compiled, seen, options.scale)
        self.follower = _measure.Follower(compiled.metrics)
        self._batches: list[Batches] = []

    def close(self) -> None:
        """Read no batch any more."""
        for batches in self._batches:
            batches.close()

    # ---- What it trains on ------------------------------------------------------------------------------------------

    def take_arrays(self, given: Samples) -> None:
        """Train on X and y."""
        options = self.options
        if options.steps_per_epoch is not None:
            raise ValueError(
                "[fit] steps_per_epoch is for batches, but X and y are given; an epoch goes through all of X"
            )
        samples, held, strata = self._divided(self.preparer.settle("fit", given))
        samples = _samples.weigh(samples, options.class_weight, self.preparer.decision)
        data = self._checked("fit", samples, keep_outputs=bool(self.compiled.metrics))
        self.feed = ArrayFeed(self.preparer, data, options.batch_size or 32, options.shuffle is not False)
        if held is None:
            return self._take_validation()
        self.validation = ArrayValidation(self.preparer, self._checked("fit: validation_data", held))
        if strata is not None:
            _samples.warn_of_order(strata, len(held.y), options.validation_order)

    def take_batches(self, given: Any) -> None:
        """Train on batches that are handed over."""
        options = self.options
        for name, value, wrong, cure in (
            ("shuffle", options.shuffle, options.shuffle is True, "shuffle where they are made"),
            ("batch_size", options.batch_size, options.batch_size is not None, "they have sizes of their own"),
            ("validation_split", options.validation_split, options.validation_split, "give validation_data"),
            ("class_weight", options.class_weight, isinstance(options.class_weight, str), "give a dict of weights"),
        ):
            if wrong:
                raise ValueError(f"[fit] {name} is {value!r}, which cannot be obeyed with batches; {cure}")
        batches = Batches("fit", given, options.epochs, options.steps_per_epoch)
        self._batches.append(batches)
        class_weight: Any = options.class_weight
        self.feed = BatchFeed(
            self.preparer, batches, options.steps_per_epoch, class_weight, keep_outputs=bool(self.compiled.metrics)
        )
        self._take_validation()

    def _take_validation(self) -> None:
        """Validate with what the user gives for it, if that is something."""
        given, operation = self.options.validation_data, "fit: validation_data"
        if given is None:
            return
        if not are_batches(given):
            samples = self.preparer.settle(operation, _samples.given("fit", "validation_data", given), learn=False)
            self.validation = ArrayValidation(self.preparer, self._checked(operation, samples))
            return
        if isinstance(given, Iterator):
            raise ValueError(
                "[fit] validation_data is an iterator, which can be read once only; give a list of batches, or a "
                "function that returns an iterator"
            )
        self._batches.append(Batches(operation, given))
        keep_outputs = bool(self.compiled.metrics)
        self.validation = BatchValidation(self.preparer, self._batches[-1], learn=False, keep_outputs=keep_outputs)

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
            self.validation_rows = _samples.shuffled_rows(count, rows, strata, self.model.engine.seed)
        return *_samples.divide(samples, self.validation_rows), strata

    def _checked(self, operation: str, samples: Samples, keep_outputs: bool = False) -> Data:
        """Let the core look at samples, and the metrics at targets."""
        data = self.preparer.data(operation, samples, keep_outputs)
        _measure.try_out(self.compiled.metrics, self.preparer.decision, data.y)
        return data

    # ---- Its epochs -------------------------------------------------------------------------------------------------

    def run(self) -> History:
        """Go through the epochs, with the callbacks around them."""
        model, options = self.model, self.options
        callbacks = [*options.callbacks, ProgressBar(options.verbose)]
        before = model.history, model.stop_training, model.seen
        counters = model.engine.counters
        history = model.history = History()
        history.validation_rows = self.validation_rows
        model.stop_training = False
        model.remember(self.preparer.seen)
        try:
            self._begin(callbacks)
            self._epochs(history, callbacks)
        except BaseException as error:
            history.stop_reason = type(error).__name__
            callbacks[-1].on_train_end()  # the progress bar gives the terminal back
            if model.engine.counters == counters:  # nothing has been trained: the model is as it was
                model.history, model.stop_training = before[:2]
                model.remember(before[2])
            raise
        for callback in callbacks:
            callback.on_train_end({})
        return history

    def _begin(self, callbacks: Sequence[Callback]) -> None:
        names = ["loss", *self.compiled.metrics]
        names += [] if self.validation is None else [f"val_{name}" for name in names]
        params = {"epochs": self.options.epochs, "samples": self.feed.samples, "metrics": names}
        for callback in callbacks:
            callback.set_params(dict(params))
            callback.set_model(self.model)
        for callback in callbacks:
            callback.on_train_begin({})

    def _epochs(self, history: History, callbacks: Sequence[Callback]) -> None:
        for epoch in range(self.options.epochs):
            if not self.feed.goes_on(epoch):
                break
            self._epoch(epoch, history, callbacks)
            if self.model.stop_training:
                history.stop_reason = history.stop_reason or f"a callback asked to stop after epoch {epoch}"
                return
        history.stop_reason = self.feed.ended or "all epochs done"

    def _epoch(self, epoch: int, history: History, callbacks: Sequence[Callback]) -> None:
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        logs = self._measure(self.feed.train(epoch))
        self.model.remember(self.preparer.seen)  # batches tell more as they come
        if self.validation is not None:
            logs |= {f"val_{name}": value for name, value in self._measure(self.validation.evaluate()).items()}
        history.append(epoch, logs)
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)

    def _measure(self, passed: Passed) -> dict[str, float]:
        values = {"loss": passed.loss}
        if passed.outputs is None:
            return values
        return values | self.follower.measure(self.preparer.decision, passed.y, passed.outputs)
