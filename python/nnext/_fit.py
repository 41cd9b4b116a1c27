"""How a model is trained: what `fit` does between the epochs that run in C++."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nnext import _decision, _samples
from nnext._compiled import Compiled
from nnext._engine import Engine
from nnext._objective import Data, objective
from nnext.callbacks import Callback, ProgressBar
from nnext.errors import DivergenceError
from nnext.history import History

if TYPE_CHECKING:
    import numpy.typing as npt


class Trainee(Protocol):
    """What a fit needs of a model."""

    history: History | None
    stop_training: bool

    @property
    def engine(self) -> Engine: ...


@dataclass(frozen=True)
class FitOptions:
    """The arguments of `Sequential.fit` beside X and y."""

    epochs: int
    batch_size: int
    validation_data: Sequence[Any] | None
    validation_split: float
    shuffle: bool
    sample_weight: npt.ArrayLike | None
    class_weight: Mapping[int, float] | str | None
    callbacks: tuple[Any, ...]
    verbose: Any
    scale: float  # on every X; the core checks it


def fit(model: Trainee, compiled: Compiled, X: npt.ArrayLike, y: npt.ArrayLike, options: FitOptions) -> History:
    """Train the model; see `Sequential.fit`."""
    try:  # from here on: Ctrl-C may come as soon as begin_fit has returned
        model.engine.begin_fit(id(options))
        return _Fit(model, compiled, X, y, options).run()
    finally:
        model.engine.end_fit(id(options))


def evaluate(engine: Engine, compiled: Compiled, X: Any, y: Any, weight: Any, scale: float) -> dict[str, float]:
    """Return loss and metrics; see `Sequential.evaluate`."""
    return _evaluate(engine, compiled, objective(engine, compiled).data(X, y, weight, "evaluate", scale))


def _evaluate(engine: Engine, compiled: Compiled, data: Data) -> dict[str, float]:
    loss, outputs = objective(engine, compiled).evaluate(data)
    return {"loss": loss, **_measure(engine, compiled, data, outputs)}


def _measure(engine: Engine, compiled: Compiled, data: Data, outputs: Any) -> dict[str, float]:
    return _decision.measure(compiled.metrics, compiled.loss_name, engine.layers[-1], data.y, outputs)


def loss_and_gradients(engine: Engine, compiled: Compiled, X: Any, y: Any, weight: Any, scale: float = 1.0) -> float:
    """Return the loss; the engine keeps the gradients. See `Sequential.loss_and_grads`."""
    chosen = objective(engine, compiled)
    return chosen.loss_and_gradients(chosen.data(X, y, weight, "loss_and_grads", scale))


class _Fit:
    """One fit: its data, checked once, and its epochs."""

    def __init__(self, model: Trainee, compiled: Compiled, X: Any, y: Any, options: FitOptions) -> None:
        self.model, self.compiled, self.options = model, compiled, options
        self.objective = objective(model.engine, compiled)
        (X, y, weight), validation = _samples.split(
            X, y, options.sample_weight, options.validation_data, options.validation_split
        )
        weight = _samples.weights(y, weight, options.class_weight)
        self.data = self.objective.data(X, y, weight, "fit", options.scale, keep_outputs=bool(compiled.metrics))
        self.validation = None
        if validation is not None:
            self.validation = self.objective.data(*validation, "fit: validation_data", options.scale)

    def run(self) -> History:
        """Go through the epochs, with the callbacks around them."""
        model, options = self.model, self.options
        callbacks = [*options.callbacks, ProgressBar(options.verbose)]
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"[fit] callbacks has {callback!r}; give objects derived from nnext.callbacks.Callback")
        history = model.history = History()
        model.stop_training = False
        try:
            for callback in callbacks:
                callback.set_params({"epochs": options.epochs, "samples": self.data.rows})
                callback.set_model(model)
            for callback in callbacks:
                callback.on_train_begin({})
            for epoch in range(options.epochs):
                self._epoch(epoch, history, callbacks)
                if model.stop_training:
                    history.stop_reason = f"a callback asked to stop after epoch {epoch}"
                    break
            else:
                history.stop_reason = "all epochs done"
        except BaseException as error:
            history.stop_reason = type(error).__name__
            callbacks[-1].on_train_end()  # the progress bar gives the terminal back
            raise
        for callback in callbacks:
            callback.on_train_end({})
        return history

    def _epoch(self, epoch: int, history: History, callbacks: Sequence[Callback]) -> None:
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        logs = self._train(epoch)
        if self.validation is not None:
            values = _evaluate(self.model.engine, self.compiled, self.validation)
            logs |= {f"val_{name}": value for name, value in values.items()}
        history.append(epoch, logs)
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)

    def _train(self, epoch: int) -> dict[str, float]:
        done = self.objective.epoch(self.data, self.options.batch_size, self.options.shuffle)
        if done.diverged:
            raise DivergenceError(epoch, done.steps, done.lr)
        return {"loss": done.loss, **_measure(self.model.engine, self.compiled, self.data, done.outputs)}
