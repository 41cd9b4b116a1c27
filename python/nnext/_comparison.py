"""Targets and outputs of a pass, in each form that metrics compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _targets
from nnext._decision import Decision
from nnext.metrics import Chosen
from nnext.metrics.labels import Labels
from nnext.metrics.scores import Scores
from nnext.metrics.values import Values

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Comparison:
    """Targets beside outputs, as the network's decision has them; each form is made once, for all metrics that ask.

    Parameters
    ----------
    decision : Decision
    y : array
        Targets as the core takes them.
    outputs : array of shape (n, outputs), or with places
    weight : array_like of shape (n,), of the places or of the outputs, or None
        As it was given; metrics of classes and numbers are weighted by it, functions of the user's if they take it.
    """

    def __init__(self, decision: Decision, y: Any, outputs: Array, weight: Any = None) -> None:
        self.decision, self.y, self.outputs, self.weight = decision, y, outputs, weight
        self._forms: dict[Any, Any] = {}

    def value(self, metric: Chosen) -> float:
        """Return the value of a metric."""
        if metric.compares == "own":
            return self._own(metric)
        settings = dict(metric.settings)
        threshold = settings.pop("threshold", None)
        key = (metric.compares, threshold)
        if key not in self._forms:
            make: dict[str, Callable[[], Any]] = {
                "labels": lambda: self._labels(metric.name, threshold),
                "scores": lambda: Scores(self._true(metric.name), self._ranked(self._rows), self._weights),
                "probabilities": lambda: Scores(self._true(metric.name), self._ranked(self._likely), self._weights),
                "values": self._values,
            }
            self._forms[key] = make[metric.compares]()
        return _one_number(metric.name, getattr(self._forms[key], metric.method)(**settings))

    # ---- Rows -------------------------------------------------------------------------------------------------------

    @cached_property
    def _rows(self) -> Array:
        return self.decision.rows(self.outputs)

    @cached_property
    def _row_weights(self) -> Array | None:
        """The weights of rows: (rows,), or (rows, outputs) where each output has its own."""
        if self.weight is None:
            return None
        found = _targets.rows(np.asarray(self.weight, dtype=np.float64), self.decision)
        found = found.reshape(-1) if found.size == len(found) else found
        return np.repeat(found, len(self._rows) // len(found), axis=0)

    @cached_property
    def _weights(self) -> Array | None:
        """The weights of labels: of rows or, where a row has several labels, of these."""
        weight = self._row_weights
        if weight is None or (weight.ndim == 1 and self.decision.kind != "labels"):
            return weight
        each = np.broadcast_to(weight.reshape(len(weight), -1), self._rows.shape)
        return each.mean(axis=1) if self.decision.kind == "classes" else each.reshape(-1)

    # ---- Forms ------------------------------------------------------------------------------------------------------

    def _true(self, metric: str) -> Array:
        """Return the true labels, one after the other."""
        if "true" not in self._forms:
            self._forms["true"] = _targets.places(metric, self.y, self.decision).reshape(-1)
        return np.asarray(self._forms["true"])

    def _labels(self, metric: str, threshold: float | None) -> Labels:
        decision = replace(self.decision, space=())
        if threshold is None:
            said = decision.decided(self._rows)
        elif decision.kind == "classes":
            raise ValueError(
                f"[{metric}] threshold is {threshold}, but the network decides for the largest of {decision.outputs} "
                f"outputs ({decision.why}); leave it out"
            )
        else:
            said = np.asarray(decision.as_probability(self._rows) > threshold, dtype=np.int64)
        columns = decision.outputs if decision.kind == "classes" else 1
        return Labels(self._true(metric), said.reshape(-1), self._weights, columns)

    @property
    def _likely(self) -> Array:
        """What can be compared between rows: of more than two classes only probabilities, else the outputs."""
        several = self.decision.kind == "classes" and self.decision.outputs > 2
        return replace(self.decision, space=()).probabilities(self._rows) if several else self._rows

    def _ranked(self, scores: Array) -> Array:
        """Return a score for each label where a row has several."""
        return scores if self.decision.kind == "classes" else scores.reshape(-1)

    def _values(self) -> Values:
        pred = self.decision.as_numbers(self._rows)
        return Values(_targets.numbers(self.y, self.decision), pred.reshape(len(pred), -1), self._row_weights)

    # ---- Functions of the user's ------------------------------------------------------------------------------------

    def _own(self, metric: Chosen) -> float:
        """Call it with labels as they are, else with targets of the outputs' shape."""
        weight = None if self.weight is None else np.asarray(self.weight)
        settings = {}
        if weight is not None and metric.takes_weight:
            settings["sample_weight"] = weight.reshape(-1) if weight.size == len(weight) else weight
        return _one_number(metric.name, metric.function(*self._own_pair, **settings))

    @cached_property
    def _own_pair(self) -> tuple[Array, Array]:
        decision, true, outputs = self.decision, np.asarray(self.y), self.outputs
        if decision.kind == "classes" and true.size * decision.outputs == outputs.size:
            return true.reshape(-1) if not decision.space else true, outputs
        if decision.probability == "sigmoid" or decision.log_means:
            outputs = decision.as_numbers(outputs)
        return (true.reshape(outputs.shape) if true.size == outputs.size else true), outputs


def _one_number(metric: str, value: Any) -> float:
    if np.size(value) != 1:
        raise ValueError(
            f"[{metric}] it gives {np.size(value)} numbers, but History takes one; give another average, or one metric "
            "for each of them"
        )
    return float(np.asarray(value).reshape(()))
