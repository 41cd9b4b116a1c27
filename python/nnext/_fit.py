"""How a model is trained: what `fit` does between the epochs that run in C++."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nnext import _measure, _samples, _targets
from nnext._compiled import Compiled
from nnext._decision import Decision, Seen, decide
from nnext._engine import Engine
from nnext._objective import Data, objective
from nnext._samples import Samples
from nnext.callbacks import Callback, ProgressBar
from nnext.errors import DivergenceError
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
    batch_size: int
    validation_data: Sequence[Any] | None
    validation_split: float
    validation_order: str
    shuffle: bool
    sample_weight: npt.ArrayLike | None
    class_weight: Mapping[Any, float] | str | None
    callbacks: tuple[Callback, ...]
    verbose: Any
    scale: float  # on every X; the core checks it


def fit(model: Trainee, compiled: Compiled, X: npt.ArrayLike, y: npt.ArrayLike, options: FitOptions) -> History:
    """Train the model; see `Sequential.fit`."""
    try:  # from here on: Ctrl-C may come as soon as begin_fit has returned
        model.engine.begin_fit(id(options))
        return _Fit(model, compiled, Samples(X, y, options.sample_weight), options).run()
    finally:
        model.engine.end_fit(id(options))


def evaluate(model: Trainee, compiled: Compiled, given: Samples, scale: float) -> dict[str, float]:
    """Return loss and metrics; see `Sequential.evaluate`."""
    samples, seen = _settled("evaluate", model, compiled, given)
    seen = model.seen.first(seen)
    chosen = objective(model.engine, compiled)
    data = chosen.data(_samples.counted("evaluate", samples), "evaluate", scale)
    loss, outputs = chosen.evaluate(data)
    decision = decide(model.engine.layers, model.engine.output_of(given.X), compiled.core_loss, seen)
    values = _measure.measure(compiled.metrics, decision, data.y, outputs)
    model.remember(seen)
    return _measure.Scores({"loss": loss, **values})


def loss_and_gradients(model: Trainee, compiled: Compiled, given: Samples, scale: float) -> float:
    """Return the loss; the engine keeps the gradients. See `Sequential.loss_and_grads`."""
    samples, _ = _settled("loss_and_grads", model, compiled, given)
    chosen = objective(model.engine, compiled)
    return chosen.loss_and_gradients(chosen.data(_samples.counted("loss_and_grads", samples), "loss_and_grads", scale))


def _decide(engine: Engine, compiled: Compiled, X: Any) -> partial[Decision]:
    """Return what works out the decision for such samples, from what was seen."""
    return partial(decide, engine.layers, engine.output_of(X), compiled.core_loss)


def _settled(operation: str, model: Trainee, compiled: Compiled, given: Samples) -> tuple[Samples, Seen]:
    """Return samples whose targets are as the core takes them, and what they told.

    A loss function of the user's gets its targets as they were given.
    """
    own = compiled.core_loss is None
    if own and getattr(given.y, "dtype", np.asarray(given.y).dtype).kind not in "biuf":
        return given, model.seen
    decider = _decide(model.engine, compiled, given.X)
    y, seen = _targets.settle(operation, given.y, lambda seen: decider(seen=seen), model.seen)
    return given if own else given._replace(y=y), seen


class _Fit:
    """One fit: its data, checked once, and its epochs."""

    validation_rows: Array | None = None  # that validation_split holds out
    strata: Array | None = None  # the class of each row that was given to it

    def __init__(self, model: Trainee, compiled: Compiled, given: Samples, options: FitOptions) -> None:
        self.model, self.compiled, self.options = model, compiled, options
        self.objective = objective(model.engine, compiled)
        samples, seen = _settled("fit", model, compiled, given)
        self.seen = replace(seen, scale=None if options.scale == 1 else options.scale)
        self.decision = _decide(model.engine, compiled, given.X)(seen=self.seen)
        samples, validation = self._divided(samples)
        samples = _samples.weigh(samples, options.class_weight, self.decision)
        self.data = self._checked("fit", samples, keep_outputs=bool(compiled.metrics))
        self.validation = None if validation is None else self._checked("fit: validation_data", validation)
        self.follower = _measure.Follower(compiled.metrics)
        if self.strata is not None and self.validation_rows is not None:
            _samples.warn_of_order(self.strata, len(self.validation_rows), options.validation_order)

    def _divided(self, samples: Samples) -> tuple[Samples, Samples | None]:
        """Return the samples to train on, and those to validate with."""
        options = self.options
        if options.validation_data is not None:
            if options.validation_split:
                raise ValueError("[fit] both validation_data and validation_split are given; give one of them")
            validation = _samples.given("fit", "validation_data", options.validation_data)
            model = self.model
            return samples, _settled("fit: validation_data", model, self.compiled, validation)[0]
        if not options.validation_split:
            return samples, None
        samples = _samples.sequences("fit", samples)
        self.strata = _targets.strata(samples.y, self.decision)
        rows, count = len(samples.y), _samples.held_count(options.validation_split, len(samples.y))
        if options.validation_order == "last":
            self.validation_rows = np.arange(rows - count, rows)
        else:
            self.validation_rows = _samples.shuffled_rows(count, rows, self.strata, self.model.engine.seed)
        return _samples.divide(samples, self.validation_rows)

    def _checked(self, operation: str, samples: Samples, keep_outputs: bool = False) -> Data:
        """Let the core look at samples, and the metrics at targets."""
        if self.compiled.core_loss is not None:
            samples = _samples.counted(operation, samples)
        data = self.objective.data(samples, operation, self.options.scale, keep_outputs)
        _measure.try_out(self.compiled.metrics, self.decision, data.y)
        return data

    def run(self) -> History:
        """Go through the epochs, with the callbacks around them."""
        model, options = self.model, self.options
        callbacks = [*options.callbacks, ProgressBar(options.verbose)]
        before = model.history, model.stop_training, model.seen
        counters = model.engine.counters
        history = model.history = History()
        history.validation_rows = self.validation_rows
        model.stop_training = False
        model.remember(self.seen)
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
        params = {"epochs": self.options.epochs, "samples": self.data.rows, "metrics": names}
        for callback in callbacks:
            callback.set_params(dict(params))
            callback.set_model(self.model)
        for callback in callbacks:
            callback.on_train_begin({})

    def _epochs(self, history: History, callbacks: Sequence[Callback]) -> None:
        for epoch in range(self.options.epochs):
            self._epoch(epoch, history, callbacks)
            if self.model.stop_training:
                history.stop_reason = history.stop_reason or f"a callback asked to stop after epoch {epoch}"
                return
        history.stop_reason = "all epochs done"

    def _epoch(self, epoch: int, history: History, callbacks: Sequence[Callback]) -> None:
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        logs = self._train(epoch)
        if self.validation is not None:
            loss, outputs = self.objective.evaluate(self.validation)
            values = {"loss": loss, **self._measure(self.validation, outputs)}
            logs |= {f"val_{name}": value for name, value in values.items()}
        history.append(epoch, logs)
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)

    def _train(self, epoch: int) -> dict[str, float]:
        done = self.objective.epoch(self.data, self.options.batch_size, self.options.shuffle)
        if done.diverged:
            raise DivergenceError(epoch, done.steps, done.lr)
        return {"loss": done.loss, **self._measure(self.data, done.outputs)}

    def _measure(self, data: Data, outputs: Array | None) -> dict[str, float]:
        return {} if outputs is None else self.follower.measure(self.decision, data.y, outputs)
