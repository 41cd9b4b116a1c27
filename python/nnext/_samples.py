"""Which samples a fit takes, and how much each of them counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

Samples = tuple[Any, Any, Any]  # X, y, sample_weight


def split(X: Any, y: Any, weight: Any, validation_data: Any, validation_split: float) -> tuple[Samples, Samples | None]:
    """Return the samples to train on, and those to validate with."""
    if validation_data is not None:
        if validation_split:
            raise ValueError("[fit] both validation_data and validation_split are given; give one of them")
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise TypeError("[fit] validation_data must be (X, y) or (X, y, sample_weight)")
        return (X, y, weight), (*validation_data, None)[:3]
    if not validation_split:
        return (X, y, weight), None
    X, y = _sequence("X", X), _sequence("y", y)
    weight = None if weight is None else _sequence("sample_weight", weight)
    for name, values in (("y", y), ("sample_weight", X if weight is None else weight)):
        if len(X) != len(values):
            raise ValueError(
                f"[fit] {name} has {len(values)} rows but X has {len(X)}; give both the same number of samples"
            )
    held = int(len(X) * validation_split)
    if held == 0 or held == len(X):
        raise ValueError(
            f"[fit] validation_split={validation_split:g} of {len(X)} samples is {held}; "
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


def weights(y: Any, weight: Any, class_weight: Mapping[int, float] | str | None) -> Any:
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
