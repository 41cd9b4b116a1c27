"""Metrics of a network's outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from nnext._comparison import Comparison
from nnext._decision import Decision
from nnext._warn import warn
from nnext.metrics import Chosen
from nnext.metrics.arguments import UndefinedError

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


def check(metrics: Metrics, decision: Decision, operation: str = "compile") -> None:
    """Refuse metrics that compare classes where the network gives numbers."""
    for name, metric in metrics.items():
        if metric.compares not in ("values", "own") and decision.kind == "numbers":
            raise ValueError(
                f"[{operation}] metric {name!r} compares classes, but the network gives numbers ({decision.why}); use "
                "'mae' or 'r2', or end it with Sigmoid() or Softmax()"
            )


def measure(metrics: Metrics, compared: Comparison, operation: str = "evaluate") -> dict[str, float]:
    """Return the value of every metric; NaN, with a warning, where the targets give it none."""
    values: dict[str, float] = {}
    for name, metric in metrics.items():
        try:
            values[name] = compared.value(metric)
        except UndefinedError as error:
            values[name] = math.nan
            warn(f"[{operation}] metric {name!r} is NaN: {error}", RuntimeWarning)
    return values


def try_out(metrics: Metrics, decision: Decision, y: Any, weight: Any) -> None:
    """Let nnext's own metrics compare the targets with some outputs: what raises here would raise in every epoch.

    Functions of the user's are not called: they may count their calls.
    """
    own = [metric for metric in metrics.values() if metric.compares != "own"]
    if own:
        shape = np.insert(decision.space, len(decision.space) if decision.axis < 0 else 0, decision.outputs)
        outputs = np.broadcast_to(np.float32(0.5), (len(y), *shape.astype(int)))
        compared = Comparison(decision, y, outputs, weight)
        for metric in own:
            compared.value(metric)


class Follower:
    """The metrics of a fit: one that cannot be computed in an epoch is NaN there, with one warning a fit."""

    def __init__(self, metrics: Metrics, operation: str = "fit") -> None:
        self.metrics, self._operation, self._warned = metrics, operation, set[str]()

    def measure(self, compared: Comparison) -> dict[str, float]:
        """Return the value of every metric."""
        values: dict[str, float] = {}
        for name, metric in self.metrics.items():
            try:
                values[name] = compared.value(metric)
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
