"""How good predictions are: numbers for people, where a loss is a number for the optimizer.

Every metric is ``metric(y_true, y_pred, sample_weight=None)``, as in scikit-learn, and agrees with scikit-learn's. The
metrics of classification take predicted labels or what a network gives: ``(n, classes)`` scores, whose largest in a row
is the prediction, or an ``(n, 1)`` column of probabilities, which predicts class 1 above 0.5. True labels may be
one-hot rows. Labels of steps and pixels are taken as rows.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nnext._unknown import attributes_of, not_one_of
from nnext.metrics import classification, ranking, regression
from nnext.metrics.classification import *
from nnext.metrics.ranking import *
from nnext.metrics.regression import *

__all__: list[str] = []
__all__ += classification.__all__
__all__ += ranking.__all__
__all__ += regression.__all__

Metric = Callable[..., float]
Compares = Literal["labels", "scores", "probabilities", "values", "own"]

# What each compares: predicted classes, the scores of a row with each other, those of a class in all rows, or numbers.
# `nnext._measure` makes each of them once for all metrics; the method of the metric's name is its value.
_COMPARES: dict[str, Compares] = {
    "accuracy": "labels",
    "f1": "labels",
    "precision": "labels",
    "recall": "labels",
    "roc_auc": "probabilities",
    "top_k_accuracy": "scores",
    "mae": "values",
    "mse": "values",
    "r2": "values",
    "rmse": "values",
}


class Chosen(NamedTuple):
    """A metric that `compile` accepted."""

    name: str  # in History and in what evaluate returns
    function: Metric
    compares: Compares
    method: str = ""  # of what it compares; "" for a function of the user's
    settings: Mapping[str, Any] = MappingProxyType({})  # of the method
    takes_weight: bool = True  # whether it can be given sample_weight


def choose(chosen: Any, operation: str = "compile") -> dict[str, Chosen]:
    """Look up the metrics of ``compile(metrics=...)``, or of another operation.

    Parameters
    ----------
    chosen : None, str, callable, sequence of them, or mapping of name to one
        None are no metrics, and one is a list of one.
    operation : str
        Who asks, for messages.

    Returns
    -------
    dict of str to Chosen
        By the names that they have in History.

    Raises
    ------
    ValueError
        When a name is unknown, twice there, or taken by something else.
    TypeError
        When something is neither a name nor callable.

    Examples
    --------
    >>> list(choose(["accuracy", "f1"]))
    ['accuracy', 'f1']
    >>> list(choose({"top3": functools.partial(top_k_accuracy, k=3)}))
    ['top3']
    """
    if chosen is None:
        return {}
    if isinstance(chosen, str) or callable(chosen):
        chosen = [chosen]
    if isinstance(chosen, Mapping):
        named = [(name, get(metric, operation)) for name, metric in chosen.items()]
    elif isinstance(chosen, Iterable):
        named = [(name_of(metric), get(metric, operation)) for metric in chosen]
    else:
        raise TypeError(f"[{operation}] metrics is {chosen!r}; give a list, for example ['accuracy']")
    found: dict[str, Chosen] = {}
    for name, metric in named:
        if not isinstance(name, str) or name == "loss" or name.startswith("val_"):
            raise ValueError(
                f"[{operation}] a metric is named {name!r}, which stands for the loss or for validation in History; "
                "name it otherwise: metrics={'name': function}"
            )
        if name in found:
            raise ValueError(
                f"[{operation}] two metrics are named {name!r}; give them names of their own: "
                "metrics={'name': function, 'other': function}"
            )
        found[name] = _chosen(name, metric, operation)
    return found


def _chosen(name: str, metric: Metric, operation: str) -> Chosen:
    """Tell how a metric is computed; one of nnext's with settings, too."""
    function: Any = metric
    settings: dict[str, Any] = {}
    by_position: list[Any] = []
    while isinstance(function, functools.partial):
        by_position += function.args
        function, settings = function.func, function.keywords | settings
    own = next((known for known in _COMPARES if globals()[known] is function), None)
    if own is None:
        return Chosen(name, metric, "own", takes_weight="sample_weight" not in settings and _takes_weight(metric))
    if by_position:
        raise ValueError(f"[{operation}] the metric {name!r} has settings without names; give all of them by name")
    if "sample_weight" in settings:
        raise ValueError(
            f"[{operation}] the metric {name!r} has weights of its own; give sample_weight to fit and evaluate"
        )
    return Chosen(name, metric, _COMPARES[own], own, MappingProxyType(settings))


def _takes_weight(metric: Metric) -> bool:
    try:
        return "sample_weight" in inspect.signature(metric).parameters
    except ValueError:  # a function in C that does not tell
        return False


def get(metric: str | Metric, operation: str = "compile") -> Metric:
    """Look a metric up by name; a function is given back as it is.

    Parameters
    ----------
    metric : str or callable
        A name such as "accuracy", or any ``f(y_true, y_pred) -> float``; one that takes ``sample_weight`` gets it.
    operation : str
        Who asks, for messages.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When it is neither a name nor callable with two arguments.

    Examples
    --------
    >>> get("accuracy")([0, 1], [0, 1])
    1.0
    """
    if isinstance(metric, str):
        if metric not in _COMPARES:
            raise not_one_of(operation, "metric", metric, names(), also="a function")
        function: Metric = globals()[metric]
        return function
    if not callable(metric):
        raise not_one_of(operation, "metric", metric, names(), also="a function of y_true and y_pred")
    _require_two_arguments(metric, operation)
    return metric


def _require_two_arguments(metric: Metric, operation: str) -> None:
    try:
        inspect.signature(metric).bind(None, None)
    except TypeError as error:
        raise TypeError(f"[{operation}] {name_of(metric)} must take (y_true, y_pred): {error}") from None
    except ValueError:  # a function in C that does not tell
        return


def names() -> list[str]:
    """Return the metrics that can be found by name.

    Examples
    --------
    >>> names()[0]
    'accuracy'
    """
    return list(_COMPARES)


def name_of(metric: str | Metric) -> str:
    """Return the name under which a metric appears in History and in logs.

    Examples
    --------
    >>> name_of(accuracy), name_of("mae"), name_of(functools.partial(top_k_accuracy, k=3))
    ('accuracy', 'mae', 'top_k_accuracy(k=3)')
    """
    if isinstance(metric, str):
        return metric
    if isinstance(metric, functools.partial):
        settings = [*map(repr, metric.args), *(f"{name}={value!r}" for name, value in metric.keywords.items())]
        return f"{name_of(metric.func)}({', '.join(settings)})"
    return getattr(metric, "__name__", type(metric).__name__)


if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__, "metric=")
