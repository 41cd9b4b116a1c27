"""How a model is trained: what `fit` does between the epochs that run in C++."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from nnext import _measure
from nnext._batches import Batches, handed_over
from nnext._comparison import Comparison
from nnext._compiled import Compiled
from nnext._decision import Seen
from nnext._engine import Engine
from nnext._feeds import ArrayValidation, BatchValidation, Passed
from nnext._given import FitOptions, Given
from nnext._prepare import Preparer
from nnext._samples import Samples
from nnext.callbacks import Callback, ProgressBar
from nnext.history import History


class Trainee(Protocol):
    """What a fit needs of a model."""

    history: History | None
    stop_training: bool

    @property
    def engine(self) -> Engine: ...

    @property
    def seen(self) -> Seen: ...

    def remember(self, seen: Seen) -> None: ...


def fit(model: Trainee, compiled: Compiled, X: Any, y: Any, options: FitOptions) -> History:
    """Train the model; see `Sequential.fit`."""
    batches = handed_over("fit", X, y, options.sample_weight)
    try:  # from here on: Ctrl-C may come as soon as begin_fit has returned
        model.engine.begin_fit(id(options))
        seen = replace(model.seen, scale=None if options.scale == 1 else options.scale)
        given = Given(Preparer(model.engine, compiled, seen, options.scale), options, model.engine.seed)
        try:
            if batches:
                given.take_batches(X)
            else:
                given.take_arrays(Samples(X, y, options.sample_weight))
            return _Fit(model, compiled, given).run()
        finally:
            given.close()
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
    scores = _measure.Scores({"loss": passed.loss})
    if passed.outputs is not None:
        decision = preparer.decide(seen)
        _measure.check(compiled.metrics, decision, "evaluate")
        compared = Comparison(decision, passed.y, passed.outputs, passed.weight)
        scores.update(_measure.measure(compiled.metrics, compared))
    model.remember(seen)
    return scores


def loss_and_gradients(model: Trainee, compiled: Compiled, given: Samples, scale: float) -> float:
    """Return the loss; the engine keeps the gradients. See `Sequential.loss_and_grads`."""
    preparer = Preparer(model.engine, compiled, model.seen, scale)
    data = preparer.data("loss_and_grads", preparer.settle("loss_and_grads", given))
    return preparer.objective.loss_and_gradients(data)


class _Fit:
    """One fit, and its epochs."""

    def __init__(self, model: Trainee, compiled: Compiled, given: Given) -> None:
        self.model, self.compiled, self.options, self.given = model, compiled, given.options, given
        self.follower = _measure.Follower(compiled.metrics)

    def run(self) -> History:
        """Go through the epochs, with the callbacks around them."""
        model, options = self.model, self.options
        callbacks = [*options.callbacks, ProgressBar(options.verbose)]
        before = model.history, model.stop_training, model.seen
        counters = model.engine.counters
        history = model.history = History()
        history.validation_rows = self.given.validation_rows
        model.stop_training = False
        model.remember(self.given.preparer.seen)
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
        names += [] if self.given.validation is None else [f"val_{name}" for name in names]
        params = {"epochs": self.options.epochs, "samples": self.given.feed.samples, "metrics": names}
        for callback in callbacks:
            callback.set_params(dict(params))
            callback.set_model(self.model)
        for callback in callbacks:
            callback.on_train_begin({})

    def _epochs(self, history: History, callbacks: Sequence[Callback]) -> None:
        for epoch in range(self.options.epochs):
            if not self.given.feed.goes_on(epoch):
                break
            self._epoch(epoch, history, callbacks)
            if self.model.stop_training:
                history.stop_reason = history.stop_reason or f"a callback asked to stop after epoch {epoch}"
                return
        history.stop_reason = self.given.feed.ended or "all epochs done"

    def _epoch(self, epoch: int, history: History, callbacks: Sequence[Callback]) -> None:
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        logs = self._measure(self.given.feed.train(epoch))
        self.model.remember(self.given.preparer.seen)  # batches tell more as they come
        if self.given.validation is not None:
            logs |= {f"val_{name}": value for name, value in self._measure(self.given.validation.evaluate()).items()}
        history.append(epoch, logs)
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)

    def _measure(self, passed: Passed) -> dict[str, float]:
        values = {"loss": passed.loss}
        if passed.outputs is None:
            return values
        compared = Comparison(self.given.preparer.decision, passed.y, passed.outputs, passed.weight)
        return values | self.follower.measure(compared)
