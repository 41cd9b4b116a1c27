"""How a model is trained and evaluated: what `fit` does between the epochs that run in C++."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from nnext import _check, functional, metrics
from nnext.callbacks import Callback, ProgressBar
from nnext.errors import DivergenceError
from nnext.history import History
from nnext.layers import Sigmoid, Softmax
from nnext.losses import Loss

if TYPE_CHECKING:
    import numpy.typing as npt

    from nnext.model import Sequential

    Array = npt.NDArray[Any]

Metrics = dict[str, Callable[[Any, Any], float]]


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


def named_metrics(chosen: Sequence[Any]) -> Metrics:
    """Look metrics up, each under the name that it has in History."""
    if isinstance(chosen, str) or not isinstance(chosen, Sequence):
        raise TypeError(f"[compile] metrics is {chosen!r}; give a list, for example ['accuracy']")
    return {metrics.name_of(metric): metrics.get(metric) for metric in chosen}


def metric_names() -> list[str]:
    """Return the metrics that can be found by name."""
    return list(metrics._BY_NAME)


def compiled_loss(model: Sequential, operation: str) -> Any:
    """Return the compiled loss, or raise RuntimeError."""
    if not model._compiled:
        raise RuntimeError(f"[{operation}] the model is not compiled; call compile(loss=..., optimizer=...) first")
    return model._compiled["loss"]


def loss_name(model: Sequential) -> str | None:
    """Return the name of the compiled loss; None before compile and for functions."""
    loss = model._compiled.get("loss")
    return loss.name if isinstance(loss, Loss) else None


def probabilities(model: Sequential, outputs: Array) -> Array:
    """Turn outputs into probabilities, where they are not already."""
    if isinstance(model.layers[-1], Softmax | Sigmoid):
        return outputs
    if loss_name(model) in ("bce", "bce_with_logits") or outputs.shape[1] == 1:
        return outputs if loss_name(model) == "bce" else functional.sigmoid(outputs)
    return functional.softmax(outputs)


def is_multilabel(model: Sequential, outputs: int) -> bool:
    """Tell whether each output is a label of its own, rather than one of several classes."""
    name = loss_name(model)
    binary = name in ("bce", "bce_with_logits") or (name != "cross_entropy" and isinstance(model.layers[-1], Sigmoid))
    return binary and outputs > 1 and model._core.out_features(model._core.in_features() or outputs) > 1


def compute_metrics(model: Sequential, y: Array, outputs: Array) -> dict[str, float]:
    """Compare outputs with targets by every compiled metric."""
    chosen: Metrics = model._compiled["metrics"]
    if not chosen:
        return {}
    name, k = loss_name(model), outputs.shape[1]
    if name == "bce_with_logits":
        outputs = functional.sigmoid(outputs)
    if name == "cross_entropy" and y.ndim == 2 and y.shape[1] > 1:
        y = y.argmax(axis=1)
    elif is_multilabel(model, k):
        y, outputs = y.reshape(-1), outputs.reshape(-1, 1)
    elif y.ndim == 2 and y.shape[1] == 1:
        y = y.reshape(-1)
    return {metric_name: float(metric(y, outputs)) for metric_name, metric in chosen.items()}


def evaluate(
    model: Sequential, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Any, scale: float
) -> dict[str, float]:
    """Return loss and metrics; see `Sequential.evaluate`."""
    loss = compiled_loss(model, "evaluate")
    if isinstance(loss, Loss):
        samples = model._core.samples(X, y, sample_weight, model._flatten, "evaluate", scale)
        value, outputs = model._core.evaluate(samples)
        return {"loss": value, **compute_metrics(model, np.asarray(y), outputs)}
    return _evaluate_own_loss(model, *_rows_for_own_loss(model, X, y, sample_weight, "evaluate", scale), scale)


def _evaluate_own_loss(model: Sequential, X: Array, y: Array, scale: float) -> dict[str, float]:
    outputs = model.predict(X, scale=scale)
    value, _ = _call_loss(model._compiled["loss"], outputs, y)
    return {"loss": value, **compute_metrics(model, y, outputs)}


def loss_and_gradients(
    model: Sequential, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Any, scale: float = 1.0
) -> float:
    """Compute loss and gradients; the core keeps the gradients."""
    loss = compiled_loss(model, "loss_and_grads")
    if isinstance(loss, Loss):
        samples = model._core.samples(X, y, sample_weight, model._flatten, "loss_and_grads", scale)
        return float(model._core.loss_and_gradients(samples))
    rows, targets = _rows_for_own_loss(model, X, y, sample_weight, "loss_and_grads", scale)
    value, grad = _call_loss(loss, model.forward(rows, training=True, scale=scale), targets)
    model.backward(grad)
    return value


def _call_loss(loss: Any, y_pred: Array, y: Array) -> tuple[float, Array]:
    """Call a user's loss and check what it gives."""
    result = loss(y_pred, y)
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(f"[fit] the loss function gave {type(result).__name__}; it must return (loss, grad)")
    value, grad = float(result[0]), np.asarray(result[1])
    if grad.shape != y_pred.shape:
        raise ValueError(
            f"[fit] the loss function gave a gradient of shape {grad.shape} for y_pred of shape {y_pred.shape}; "
            "they must be equal"
        )
    return value, grad


# ---- fit ----------------------------------------------------------------------------------------------------------


def fit(model: Sequential, X: npt.ArrayLike, y: npt.ArrayLike, options: FitOptions) -> History:
    """Train the model; see `Sequential.fit`."""
    compiled_loss(model, "fit")
    try:  # from here on: Ctrl-C may come as soon as begin_fit has returned
        model._core.begin_fit(id(options))
        return _Fit(model, X, y, options).run()
    finally:
        model._core.end_fit(id(options))


class _Fit:
    """One fit: its data, checked once, and its epochs."""

    def __init__(self, model: Sequential, X: npt.ArrayLike, y: npt.ArrayLike, options: FitOptions) -> None:
        self.model, self.options = model, options
        loss = compiled_loss(model, "fit")
        weight = options.sample_weight
        (X, y, weight), self.validation = _split(X, y, weight, options)
        weight = _weights(y, weight, options.class_weight)
        self.own_loss = None if isinstance(loss, Loss) else loss
        self.validation_samples: Any = None
        self.outputs: Array | None = None
        if self.own_loss is not None:
            self.own_X, self.y = _rows_for_own_loss(model, X, y, weight, "fit", options.scale)
            self.rows = len(self.own_X)
            if self.validation is not None:
                rows = _rows_for_own_loss(model, *self.validation, "fit: validation_data", options.scale)
                self.validation = (*rows, None)
            return
        self.samples = model._core.samples(X, y, weight, model._flatten, "fit", options.scale)
        self.y, self.rows = np.asarray(y), self.samples.rows
        if self.validation is not None:
            self.validation_samples = model._core.samples(
                *self.validation, model._flatten, "fit: validation_data", options.scale
            )
        if model._compiled["metrics"]:
            self.outputs = np.empty((self.rows, self.samples.outputs), model.dtype)

    def run(self) -> History:
        model, options = self.model, self.options
        callbacks = [*options.callbacks, ProgressBar(options.verbose)]
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"[fit] callbacks has {callback!r}; give objects derived from nnext.callbacks.Callback")
        history = model.history = History()
        model.stop_training = False
        try:
            for callback in callbacks:
                callback.set_params({"epochs": options.epochs, "samples": self.rows})
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
        logs = self._train_epoch(epoch) if self.own_loss is None else self._train_epoch_with_own_loss(epoch)
        logs |= {f"val_{name}": value for name, value in self._validate().items()}
        history.append(epoch, logs)
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        model, options = self.model, self.options
        lr = model.optimizer.lr  # type: ignore[union-attr]
        loss, steps, diverged = model._core.fit_epoch(
            self.samples, self.outputs, options.batch_size, options.shuffle, lr
        )
        if diverged:
            raise DivergenceError(epoch, steps, lr)
        return {"loss": loss, **(compute_metrics(model, self.y, self.outputs) if self.outputs is not None else {})}

    def _train_epoch_with_own_loss(self, epoch: int) -> dict[str, float]:
        """Go through the samples step by step: the loss is a Python function."""
        model, options, step = self.model, self.options, 0
        order = model._core.begin_epoch(self.rows, options.shuffle)
        total, outputs = 0.0, None
        for step, start in enumerate(range(0, self.rows, options.batch_size)):
            rows = order[start : start + options.batch_size]
            y_pred = model.forward(self.own_X[rows], training=True, scale=options.scale)
            value, grad = _call_loss(self.own_loss, y_pred, self.y[rows])
            if not np.isfinite(value) or not np.isfinite(grad).all():
                self._diverged(epoch, step)
            model.backward(grad)
            model._core.keep_copy()
            model.step()
            total += value * len(rows)
            outputs = np.empty((self.rows, y_pred.shape[1]), y_pred.dtype) if outputs is None else outputs
            outputs[rows] = y_pred
        if not model._core.parameters_finite():
            self._diverged(epoch, step + 1)
        assert outputs is not None  # there is at least one row
        return {"loss": total / self.rows, **compute_metrics(model, self.y, outputs)}

    def _diverged(self, epoch: int, step: int) -> NoReturn:
        self.model._core.go_back()
        raise DivergenceError(epoch, step, self.model.optimizer.lr)  # type: ignore[union-attr]

    def _validate(self) -> dict[str, float]:
        if self.validation is None:
            return {}
        if self.own_loss is not None:
            return _evaluate_own_loss(self.model, self.validation[0], self.validation[1], self.options.scale)
        loss, outputs = self.model._core.evaluate(self.validation_samples)
        return {"loss": loss, **compute_metrics(self.model, np.asarray(self.validation[1]), outputs)}


Data = tuple[Any, Any, Any]  # X, y, sample_weight


def _split(X: Any, y: Any, weight: Any, options: FitOptions) -> tuple[Data, Data | None]:
    """Return the samples to train on, and those to validate with."""
    data = options.validation_data
    if data is not None:
        if options.validation_split:
            raise ValueError("[fit] both validation_data and validation_split are given; give one of them")
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise TypeError("[fit] validation_data must be (X, y) or (X, y, sample_weight)")
        return (X, y, weight), (data[0], data[1], data[2] if len(data) == 3 else None)
    if not options.validation_split:
        return (X, y, weight), None
    X, y = _sequence("X", X), _sequence("y", y)
    weight = None if weight is None else _sequence("sample_weight", weight)
    for name, values in (("y", y), ("sample_weight", X if weight is None else weight)):
        if len(X) != len(values):
            raise ValueError(
                f"[fit] {name} has {len(values)} rows but X has {len(X)}; give both the same number of samples"
            )
    held = int(len(X) * options.validation_split)
    if held == 0 or held == len(X):
        raise ValueError(
            f"[fit] validation_split={options.validation_split:g} of {len(X)} samples is {held}; "
            "choose it so that both parts have at least one"
        )
    first, last = slice(0, len(X) - held), slice(len(X) - held, None)
    return (
        (X[first], y[first], None if weight is None else weight[first]),
        (X[last], y[last], None if weight is None else weight[last]),
    )


def _sequence(name: str, values: Any) -> Array:
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.ndim == 0:
        raise ValueError(f"[fit] {name} is a single number; give one entry a sample")
    return array


def _weights(y: Any, weight: Any, class_weight: Mapping[int, float] | str | None) -> Any:
    """Multiply the sample weights by those of the samples' classes."""
    if class_weight is None:
        return weight
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    labels = labels.reshape(-1)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"[fit] unknown class_weight {class_weight!r}; use 'balanced' or a dict of weights")
        classes, counts = np.unique(labels, return_counts=True)
        class_weight = {c: len(labels) / (len(classes) * n) for c, n in zip(classes.tolist(), counts, strict=True)}
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"[fit] class_weight is {class_weight!r}; use 'balanced' or a dict of class to weight")
    of_class = {c: _check.number("fit", f"class_weight[{c!r}]", w, low=0) for c, w in class_weight.items()}
    factors = np.array([of_class.get(label, 1.0) for label in labels.tolist()])
    if weight is None:
        return factors
    weights = np.asanyarray(weight)
    if weights.shape != factors.shape:
        raise ValueError(
            f"[fit] sample_weight has shape {weights.shape} but y has {len(factors)} labels; give one weight a sample"
        )
    return factors * weights if weights.dtype.kind in "biuf" else weights  # the core refuses what are no numbers


def _rows_for_own_loss(
    model: Sequential, X: Any, y: Any, weight: Any, operation: str, scale: float
) -> tuple[Array, Array]:
    """Return X as the core reads it, and y as it is: what it may hold is the function's affair."""
    if weight is not None:
        raise ValueError(f"[{operation}] weights do not work with a loss function of your own; weight inside it")
    rows, targets = model._core.rows(X, model._flatten, operation, scale), np.asanyarray(y)
    if targets.ndim == 0 or len(rows) != len(targets):
        raise ValueError(
            f"[{operation}] y has shape {targets.shape} but X has {len(rows)} rows; give one entry a sample"
        )
    return rows, targets


def summary_table(model: Sequential) -> str:
    """Return the table that `Sequential.summary` prints."""
    params: dict[int, int] = {}
    for owner, _, shape in model._core.parameters():
        params[owner] = params.get(owner, 0) + int(np.prod(shape))
    rows, features = [], model.in_features
    for i, layer in enumerate(model.layers):
        features = getattr(layer, "out_features", features)
        frozen = " (frozen)" if i in model._frozen else ""
        rows.append((f"{i} {type(layer).__name__}{frozen}", f"(n, {features or '?'})", f"{params.get(i, 0):,}"))
    rows = [("layer", "output", "params"), *rows, ("total", "", f"{sum(params.values()):,}")]
    names, shapes, counts = (max(len(row[column]) for row in rows) for column in range(3))
    return "\n".join(f"{name:<{names}}   {shape:<{shapes}}   {count:>{counts}}" for name, shape, count in rows)
