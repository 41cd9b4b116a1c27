"""How good predictions are: numbers for people, where a loss is a number for the optimizer.

Every metric is ``metric(y_true, y_pred)``, as in scikit-learn, and agrees with scikit-learn's. The metrics of
classification take predicted labels or what a network gives: ``(n, classes)`` scores, whose largest in a row is the
prediction, or an ``(n, 1)`` column of probabilities, which predicts class 1 above 0.5. True labels may be one-hot rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnext.metrics import classification, ranking, regression
from nnext.metrics.classification import *
from nnext.metrics.ranking import *
from nnext.metrics.regression import *

__all__: list[str] = []
__all__ += classification.__all__
__all__ += ranking.__all__
__all__ += regression.__all__

Metric = Callable[[Any, Any], float]

_BY_NAME: dict[str, Metric] = {name: globals()[name] for name in __all__ if name != "confusion_matrix"}  # no number


def get(metric: str | Metric) -> Metric:
    """Look a metric up by name, for ``compile(metrics=[...])``; a function is given back as it is.

    Parameters
    ----------
    metric : str or callable
        A name such as "accuracy", or any ``f(y_true, y_pred) -> float``.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When it is neither a name nor callable.

    Examples
    --------
    >>> get("accuracy")([0, 1], [0, 1])
    1.0
    """
    if callable(metric):
        return metric
    if not isinstance(metric, str):
        raise TypeError(f"[metrics] a metric is a name or a function of y_true and y_pred, not {type(metric).__name__}")
    if metric not in _BY_NAME:
        raise ValueError(f"[metrics] unknown metric {metric!r}; use one of {', '.join(_BY_NAME)}, or a function")
    return _BY_NAME[metric]


def names() -> list[str]:
    """Return the metrics that can be found by name.

    Examples
    --------
    >>> names()[0]
    'accuracy'
    """
    return list(_BY_NAME)


def name_of(metric: str | Metric) -> str:
    """Return the name under which a metric appears in History and in logs.

    Examples
    --------
    >>> name_of(accuracy), name_of("mae")
    ('accuracy', 'mae')
    """
    return metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)
