"""How a model is trained: what `fit` does between the epochs that run in C++."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from nnext import _measure
from nnext._batches import Batches, handed_over
from nnext._comparison import Comparison
from nnext._compiled import Compiled
from nnext._decision import Decision, Seen
from nnext._engine import Engine
from nnext._feeds import BatchValidation, Passed
from nnext._given import Checkpoint, FitOptions, Given, check_for_batches
from nnext._prepare import Preparer
from nnext._samples import Samples
from nnext._sequence_feeds import array_validation
from nnext.callbacks import Callback, ProgressBar, TimeLimit
from nnext.errors import DivergenceError
from nnext.history import History
from nnext.optimizers import Optimizer
from nnext.schedules import Schedule


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
    with model.engine.claim_fit():
        model.engine.require_record(compiled, "fit")
        seen = model.seen if options.resume is None else options.resume.seen
        seen = replace(seen, scale=None if options.scale == 1 else options.scale)
        given = Given(Preparer(model.engine, compiled, seen, options.scale), options, model.engine.seed)
        try:
            if batches:
                given.take_batches(X)
            else:
                given.take_arrays(Samples(X, y, options.sample_weight))
            return _Fit(model, compiled, given).run()
        finally:
            given.close()


def train_on_batch(
    model: Trainee, compiled: Compiled, given: Samples, class_weight: Any, scale: float, steps: int | None
) -> dict[str, float]:
    """Take a step, of an epoch that has so many, and return loss and metrics; see `Sequential.train_on_batch`."""
    operation, engine = "train_on_batch", model.engine
    check_for_batches(operation, class_weight, compiled)
    for name, value in compiled.optimizer.changing().items():
        if isinstance(value, Schedule) and steps is None:
            raise ValueError(
                f"[{operation}] {name} is {value!r}, whose lengths are in epochs, but a batch does not tell how many "
                "steps an epoch has; give steps_per_epoch"
            )
    with engine.claim_fit(keeps=True), _unless_trained(model):
        engine.require_record(compiled, operation)
        preparer = Preparer(engine, compiled, replace(model.seen, scale=None if scale == 1 else scale), scale)
        samples = preparer.weigh(preparer.settle(operation, given, is_batch=True), class_weight)
        data = preparer.data(operation, samples, keep_outputs=bool(compiled.metrics))
        step = _begin_step(engine, steps)
        model.remember(preparer.seen)
        done = preparer.objective.batch(data, step, steps)
        if done.diverged:
            raise DivergenceError(
                int(engine.position.epochs), step, done.lr, operation, "where it was before this call"
            )
    follower = _measure.Follower(compiled.metrics, operation)
    return _measure.Scores(_measured(follower, preparer, Passed.of(data, done.loss, done.outputs)))


@contextlib.contextmanager
def _unless_trained(
    model: Trainee, resume: Checkpoint | None = None, optimizer: Optimizer | None = None
) -> Iterator[None]:
    """Leave the model as it was where an error ends what is done within before the first step.

    With `resume`, what is done within starts from there.
    """
    engine, before = model.engine, (model.history, model.stop_training, model.seen)
    untrained = [engine.counters]
    kept = None
    if resume is not None and optimizer is not None:
        kept = Checkpoint(engine.state(), model.seen, optimizer.changing())
        untrained.append(resume.state.all_counters)
    try:
        yield
    except BaseException:
        if engine.counters in untrained:
            model.history, model.stop_training = before[:2]
            model.remember(before[2])
            if kept is not None and optimizer is not None:
                _put(kept, engine, optimizer)
        raise


def _put(checkpoint: Checkpoint, engine: Engine, optimizer: Optimizer) -> None:
    """Go on from there."""
    engine.set_state(checkpoint.state)
    for name, value in checkpoint.settings.items():
        setattr(optimizer, name, value)


def _begin_step(engine: Engine, steps: int | None) -> int:
    """Return which step of its epoch comes next, and begin that where it is the first; without epochs 0."""
    if steps is None:
        return 0
    if engine.position.step == 0 or engine.position.steps != steps:
        engine.begin_epoch(0, False)
    return engine.position.step


def _measured(follower: _measure.Follower, preparer: Preparer, passed: Passed) -> dict[str, float]:
    """Return loss and metrics of a pass in training or validation."""
    values = {"loss": passed.loss}
    if passed.outputs is None:
        return values
    return values | follower.measure(_compared(preparer.decision, passed))


def _compared(decision: Decision, passed: Passed) -> Comparison:
    """Return targets and outputs as metrics want them."""
    if passed.by_steps:
        decision = replace(decision, space=())
    return Comparison(decision, passed.y, np.asarray(passed.outputs), passed.weight)


def evaluate(
    model: Trainee, compiled: Compiled, given: Samples, scale: float, operation: str = "evaluate"
) -> dict[str, float]:
    """Return loss and metrics; see `Sequential.evaluate`."""
    preparer = Preparer(model.engine, compiled, model.seen, scale)
    if handed_over(operation, *given[:3]):
        batches = Batches(operation, given.X)
        try:
            went = BatchValidation(preparer, batches, learn=True, keep_outputs=bool(compiled.metrics)).evaluate()
        finally:
            batches.close()
    else:
        samples, keeps = preparer.settle(operation, given), bool(compiled.metrics)
        went = array_validation(preparer, operation, samples, keeps).evaluate()
    seen = model.seen.first(preparer.seen)
    scores = _measure.Scores({"loss": went.loss})
    if went.outputs is not None:
        decision = preparer.decide(seen)
        _measure.check(compiled.metrics, decision, operation)
        scores.update(_measure.measure(compiled.metrics, _compared(decision, went), operation))
    model.remember(seen)
    return scores


def loss_and_gradients(model: Trainee, compiled: Compiled, given: Samples, scale: float) -> float:
    """Return the loss; the engine keeps the gradients. See `Sequential.loss_and_grads`."""
    preparer = Preparer(model.engine, compiled, model.seen, scale)
    data = preparer.data("loss_and_grads", preparer.settle("loss_and_grads", given, together=True))
    return preparer.objective.loss_and_gradients(data)


class _Fit:
    """One fit, and its epochs."""

    def __init__(self, model: Trainee, compiled: Compiled, given: Given) -> None:
        self.model, self.compiled, self.options, self.given = model, compiled, given.options, given
        self.follower = _measure.Follower(compiled.metrics)

    def run(self) -> History:
        """Go through the epochs, with the callbacks around them."""
        model, options = self.model, self.options
        limits = [] if options.max_time is None else [TimeLimit(options.max_time)]
        callbacks = [*options.callbacks, *limits, ProgressBar(options.verbose)]
        optimizer, history = self.compiled.optimizer, History()
        history.validation_rows = self.given.validation_rows
        with contextlib.ExitStack() as closing:
            with _unless_trained(model, options.resume, optimizer):
                if options.resume is not None:
                    _put(options.resume, model.engine, optimizer)
                model.history, model.stop_training = history, False
                model.remember(self.given.preparer.seen)
                try:
                    self._begin(callbacks, closing)
                    self._epochs(history, callbacks)
                except BaseException as error:
                    history.stop_reason = type(error).__name__
                    model.remember(self.given.preparer.seen)  # what batches have told so far
                    raise
            for callback in callbacks:
                callback.on_train_end({})
        return history

    def _begin(self, callbacks: Sequence[Callback], closing: contextlib.ExitStack) -> None:
        names = ["loss", *self.compiled.metrics]
        names += [] if self.given.validation is None else [f"val_{name}" for name in names]
        params = {"epochs": self.options.epochs, "samples": self.given.feed.samples, "metrics": names}
        for callback in callbacks:
            callback.set_params(dict(params))
            callback.set_model(self.model)
            closing.callback(callback.close)
        for callback in callbacks:
            callback.on_train_begin({})

    def _epochs(self, history: History, callbacks: Sequence[Callback]) -> None:
        for epoch in range(self.options.first_epoch, self.options.epochs):
            if not self.given.feed.goes_on(epoch):
                break
            try:
                self._epoch(epoch, history, callbacks)
            except DivergenceError as error:
                answers = [callback.on_divergence(error) for callback in callbacks]
                if not any(answers):
                    raise
                self.model.stop_training = True
            if self.model.stop_training:
                history.stop_reason = history.stop_reason or f"a callback asked to stop after epoch {epoch}"
                return
        history.stop_reason = self.given.feed.ended or "all epochs done"

    def _epoch(self, epoch: int, history: History, callbacks: Sequence[Callback]) -> None:
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        limit = min(callbacks, key=lambda callback: callback.deadline)
        if time.monotonic() >= limit.deadline:
            return self._end(history, f"{type(limit).__name__} before epoch {epoch}")
        before = self.model.engine.team_use()
        passed = self.given.feed.train(epoch, limit.deadline)
        work, times_members = (now - then for now, then in zip(self.model.engine.team_use(), before, strict=True))
        self.model.remember(self.given.preparer.seen)  # batches tell more as they come
        if passed.ended_early is not None:
            return self._end(history, f"{type(limit).__name__} in epoch {epoch} after {passed.ended_early} steps of it")
        logs = self._measure(passed)
        if self.given.validation is not None:
            logs |= {f"val_{name}": value for name, value in self._measure(self.given.validation.evaluate()).items()}
        history.append(epoch, logs, times_members / work if work else math.nan)
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)

    def _end(self, history: History, reason: str) -> None:
        history.stop_reason, self.model.stop_training = reason, True

    def _measure(self, passed: Passed) -> dict[str, float]:
        return _measured(self.follower, self.given.preparer, passed)
