"""Metrics of a network's outputs, as its decision has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from nnext import _targets
from nnext._decision import Decision
from nnext._warn import warn
from nnext.metrics import Chosen

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

Metrics = Mapping[str, Chosen]


class Scores(dict[str, float]):
    """Loss and metrics by name: a dict that does not let itself be taken apart as if it were a list of numbers.

    Keras' ``loss, accuracy = model.evaluate(X, y)`` would give the names.

    Examples
    --------
    >>> scores = Scores(loss=0.5, accuracy=0.75)
    >>> scores["accuracy"], list(scores.values())
    (0.75, [0.5, 0.75])
    """

    def __iter__(self) -> NoReturn:
        raise TypeError(
            f"[evaluate] the result is a dict; write scores[{next(iter(self.keys()), 'loss')!r}], or loop over "
            "scores.items(); scores.values() are the numbers"
        )


def check(metrics: Metrics, decision: Decision) -> None:
    """Refuse metrics that compare classes where the network gives numbers."""
    for name, metric in metrics.items():
        if metric.compares in ("classes", "scores") and decision.kind == "numbers":
            raise ValueError(
                f"[compile] metric {name!r} compares classes, but the network gives numbers ({decision.why}); use "
                "'mae' or 'r2', or end it with Sigmoid() or Softmax()"
            )


def measure(metrics: Metrics, decision: Decision, y: Any, outputs: Array) -> dict[str, float]:
    """Compare outputs with targets by every metric."""
    return {name: float(metric.function(*_pair(metric, decision, y, outputs))) for name, metric in metrics.items()}


def try_out(metrics: Metrics, decision: Decision, y: Any) -> None:
    """Let nnext's own metrics compare the targets with some outputs: what raises here would raise in every epoch.

    Functions of the user's are not called: they may count their calls.
    """
    own = {name: metric for name, metric in metrics.items() if metric.compares != "own"}
    if own:
        shape = np.insert(decision.space, len(decision.space) if decision.axis < 0 else 0, decision.outputs)
        measure(own, decision, y, np.broadcast_to(np.float32(0.5), (len(y), *shape.astype(int))))


class Follower:
    """The metrics of a fit: one that cannot be computed in an epoch is NaN there, with one warning a fit."""

    def __init__(self, metrics: Metrics, operation: str = "fit") -> None:
        self.metrics, self._operation, self._warned = metrics, operation, set[str]()

    def measure(self, decision: Decision, y: Any, outputs: Array) -> dict[str, float]:
        """Compare outputs with targets by every metric."""
        values: dict[str, float] = {}
        for name, metric in self.metrics.items():
            try:
                values |= measure({name: metric}, decision, y, outputs)
            except Exception as error:
                values[name] = math.nan
                self._warn(name, error)
        return values

    def _warn(self, name: str, error: Exception) -> None:
        if name not in self._warned:
            self._warned.add(name)
            warn(
                f"[{self._operation}] metric {name!r} is NaN where it cannot be computed: "
                f"{type(error).__name__}: {error}",
                RuntimeWarning,
            )


def _pair(metric: Chosen, decision: Decision, y: Any, outputs: Array) -> tuple[Any, Any]:
    """Return what a metric compares: (y_true, y_pred)."""
    if metric.compares == "own":
        return _pair_of_own(decision, y, outputs)
    outputs = decision.rows(outputs)
    if metric.compares == "values":
        return _targets.numbers(y, decision), decision.as_numbers(outputs)
    true = _targets.places(metric.name, y, decision)
    if metric.compares == "scores":
        return (true, outputs) if decision.kind != "labels" else (true.reshape(-1), outputs.reshape(-1))
    said = replace(decision, space=()).decided(outputs)
    # One-hot rows tell the metric how many classes there are, also where few occur.
    return (true, np.eye(decision.outputs)[said]) if decision.kind == "classes" else (true.ravel(), said.ravel())


def _pair_of_own(decision: Decision, y: Any, outputs: Array) -> tuple[Any, Any]:
    """Return what a function of the user's gets: labels as they are, else targets of the outputs' shape."""
    true = np.asarray(y)
    if decision.kind == "classes" and true.size * decision.outputs == outputs.size:
        return true.reshape(-1) if not decision.space else true, outputs
    if decision.probability == "sigmoid" or decision.log_means:
        outputs = decision.as_numbers(outputs)
    return (true.reshape(outputs.shape) if true.size == outputs.size else true), outputs
