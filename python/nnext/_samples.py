"""Which samples a fit takes, and how much each of them counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnext import _check, _division, _targets
from nnext._decision import Decision
from nnext._engine import as_array, as_csr
from nnext._sequences import Padded, Ragged
from nnext._warn import warn

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Samples(NamedTuple):
    """Samples, targets and weights as they are given to the core.

    X may be a file larger than memory: the core reads some rows of it without a copy. What belongs to them is small.
    """

    X: Any
    y: Any  # with `rows`, of these alone, and so is the weight
    weight: Any = None
    rows: Array | None = None  # of X; None: all
    factors: Array | None = None  # on the weights by class, for the loss and not for metrics

    @property
    def weights(self) -> Any:
        """How much each sample counts in the loss; the core refuses what are no numbers."""
        if self.factors is None or self.weight is None:
            return self.weight if self.factors is None else self.factors
        weight = np.asanyarray(self.weight)
        if weight.dtype.kind not in "biuf":
            return weight
        return self.factors * weight.reshape(*weight.shape, *(1 for _ in self.factors.shape[weight.ndim :]))


def given(operation: str, argument: str, value: Any) -> Samples:
    """Return what ``validation_data`` says."""
    if not isinstance(value, tuple | list) or len(value) not in (2, 3):
        raise TypeError(f"[{operation}] {argument} must be (X, y) or (X, y, sample_weight)")
    return Samples(*value)


def held_count(part: float, rows: int) -> int:
    """Return how many rows are that part of them."""
    count = int(rows * part)
    if count == 0 or count == rows:
        raise ValueError(
            f"[fit] validation_split={part:g} of {rows} samples is {count}; "
            "choose it so that both parts have at least one"
        )
    return count


def shuffled_rows(count: int, rows: int, strata: Array | None, seed: int) -> Array:
    """Choose rows at random, in increasing order; of each class its share."""
    from nnext.reference import random

    order = np.argsort(random.words(seed, random.stream(random.VALIDATION), rows), kind="stable")
    if strata is None:
        return np.sort(order[:count])
    return np.flatnonzero(_division.held_out(order, count, strata))


def warn_of_order(strata: Array, count: int, order: str) -> None:
    """Tell where the last rows have classes that the others lack, as a table has that is sorted by its labels."""
    if np.isin(strata[-count:], strata[:-count]).all():
        return
    kept = "they are held out for validation all the same, as validation_order='last' says; 'shuffled' takes a part"
    shuffled = (
        "a shuffled, stratified part is held out instead (history.validation_rows); validation_order='last' takes"
    )
    warn(
        f"[fit] the last {count} rows have classes that no other row has, as if sorted by label: "
        + (f"{kept} of each class" if order == "last" else f"{shuffled} the last rows")
    )


def divide(samples: Samples, held_rows: Array) -> tuple[Samples, Samples]:
    """Return the samples without some rows, and those rows."""
    chosen = np.zeros(len(samples.y), dtype=np.bool_)
    chosen[held_rows] = True
    return rows_of(samples, np.flatnonzero(~chosen)), rows_of(samples, held_rows)


def rows_of(samples: Samples, rows: Array) -> Samples:
    """Return some of the samples. X is not copied."""
    X, y, weight, among, factors = samples
    return Samples(X, y[rows], _some(weight, rows), rows if among is None else among[rows], _some(factors, rows))


def _some(values: Any, rows: Array) -> Any:
    return None if values is None else values[rows]


def sequences(operation: str, samples: Samples) -> Samples:
    """Return all as arrays, of equal length, whose rows can be chosen; X may be a sparse matrix."""
    X = samples.X
    if not isinstance(X, Padded | Ragged):
        csr = as_csr(X)
        X = _sequence(operation, "X", X) if csr is None else csr
    y = _sequence(operation, "y", samples.y)
    weight = None if samples.weight is None else _sequence(operation, "sample_weight", samples.weight)
    count = X.shape[0] if samples.rows is None else len(samples.rows)
    for name, values in (("y", y), ("sample_weight", weight)):
        if values is not None and len(values) != count:
            raise ValueError(
                f"[{operation}] {name} has {len(values)} rows but X has {count}; give both the same number of samples"
            )
    return samples._replace(X=X, y=y, weight=weight)


def _sequence(operation: str, name: str, values: Any) -> Any:
    numbers = isinstance(values, np.ndarray) and values.dtype.kind in "biuf"
    array = values if numbers else as_array(values, operation, name)
    if array.ndim == 0:
        raise ValueError(f"[{operation}] {name} is a single number; give one entry a sample")
    return array


def counted(operation: str, samples: Samples, any_target: float) -> Samples:
    """Leave out what has weight 0, so that nothing in its row matters: samples, and single labels of those that stay.

    In place of such a label there is `any_target`. Everything else about weights is for the core to refuse.
    """
    if samples.weights is None:
        return samples
    array = np.asanyarray(samples.weights)
    numbers = array.dtype.kind in "biuf" and not isinstance(array, np.ma.MaskedArray)
    if not numbers or array.ndim not in (1, 2) or len(array) != len(samples.y):
        return samples
    counts = array != 0
    if counts.all():
        return samples
    samples = sequences(operation, samples)
    if array.ndim == 2 and np.shape(samples.y) == array.shape:
        samples = samples._replace(y=np.where(counts, samples.y, any_target))
    rows = np.flatnonzero(counts.reshape(len(counts), -1).any(axis=1))
    if not len(rows):
        raise ValueError(f"[{operation}] sample_weight is zero for all {len(array)} samples; at least one must count")
    return rows_of(samples, rows)


def weigh(
    samples: Samples, class_weight: Mapping[Any, float] | str | None, decision: Decision, counts: Array | None = None
) -> Samples:
    """Add what the samples' classes, or those of their places, multiply the weights by.

    `counts` tells of each label whether it counts; None: all do.
    """
    if class_weight is None:
        return samples
    factors = _factors(samples.y, class_weight, decision, counts)
    if decision.space:
        factors = factors.reshape(-1, *decision.space)
    given = None if samples.weight is None else np.shape(samples.weight)
    if given is not None and given not in (factors.shape, factors.shape[:1]):
        labels = f"labels of shape {factors.shape}" if decision.space else f"{len(factors)} labels"
        raise ValueError(
            f"[fit] sample_weight has shape {given} but y has {labels}; give one weight a sample"
            + (", or one a label" if decision.space else "")
        )
    return samples._replace(factors=factors)


def _factors(y: Any, class_weight: Mapping[Any, float] | str, decision: Decision, counts: Array | None = None) -> Array:
    """Return the weight of each label by its class."""
    if isinstance(class_weight, str) and class_weight != "balanced":
        raise ValueError(f"[fit] unknown class_weight {class_weight!r}; use 'balanced' or a dict of weights")
    if not isinstance(class_weight, str | Mapping):
        raise TypeError(f"[fit] class_weight is {class_weight!r}; use 'balanced' or a dict of class to weight")
    if decision.kind == "numbers":
        raise ValueError(
            f"[fit] class_weight needs classes, but the network gives numbers ({decision.why}); use sample_weight"
        )
    if decision.kind == "labels":
        raise ValueError(
            f"[fit] class_weight is for samples of one class each, but these have {decision.outputs} labels; give "
            f"sample_weight of shape (n, {decision.outputs}), which weighs each label"
        )
    places = _targets.places("fit", y, decision)
    factors = np.ones(len(decision.names))
    if isinstance(class_weight, str):
        counted = places if counts is None else places[counts.reshape(-1)]
        present, times = np.unique(counted, return_counts=True)
        factors[present] = len(counted) / (len(present) * times)
        return factors[places]
    for label, factor in class_weight.items():
        factors[_place(label, decision)] = _check.number("fit", f"class_weight[{label!r}]", factor, low=0)
    return factors[places]


def _place(label: Any, decision: Decision) -> int:
    """Return the place of a class that is named as it is in y."""
    names = decision.names
    same_type = isinstance(label, str) == isinstance(names[0], str)
    if not same_type or label not in names:
        raise ValueError(
            f"[fit] class_weight has the key {label!r}, which is no class of the network; they are "
            f"{', '.join(map(repr, names[:10]))}{' ...' if len(names) > 10 else ''}"
        )
    return names.index(label)
