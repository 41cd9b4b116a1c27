"""Targets as people give them: names of classes, their numbers, one-hot rows, labels, numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext._decision import Decision, Seen

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def settle(operation: str, y: Any, decide: Callable[[Seen], Decision], seen: Seen) -> tuple[Any, Seen]:
    """Return the targets as the core takes them, and what they and all before them have told.

    Targets of one-hot rows make several outputs under a binary loss exclusive, unless others were seen that are not.

    Raises
    ------
    ValueError
        For names that are no class of the network, or too many or too few of them.
    """
    array = _array(y)
    if array is None:
        return y, seen
    y, seen = _without_names(operation, y, array, decide(seen), seen)
    array, decision = np.asanyarray(y), decide(seen)
    if decision.kind in ("binary", "labels") and decision.probability is None and seen.pair is None:
        seen = replace(seen, pair=_pair(array))
    if decision.outputs > 1 and (decision.kind == "labels" or decision.exclusive):
        array = rows(array, decision)
        one_each = array.ndim == 1 or _is_one_hot(array, decision.outputs)
        return y, replace(seen, exclusive=seen.exclusive is not False and one_each)
    return y, seen


def _pair(array: Array) -> tuple[int, int] | None:
    """Return the two numbers that labels are of, if that is clear."""
    found = {float(value) for value in np.unique(array)} if array.size and array.dtype.kind in "biuf" else set()
    pairs = [pair for pair in ((-1, 1), (0, 1)) if found and found <= set(pair)]
    return pairs[0] if len(pairs) == 1 else None


def _array(y: Any) -> Array | None:
    """Return targets as an array; None for what is none, which the core refuses."""
    if hasattr(y, "toarray"):  # a sparse matrix
        return None
    try:
        array = np.asanyarray(y)
    except ValueError:  # rows of several lengths
        return None
    return array if array.ndim else None


def _is_one_hot(y: Array, outputs: int) -> bool:
    if y.ndim != 2 or y.shape[1] != outputs or not len(y) or y.dtype.kind not in "biuf":
        return False
    ones = y == 1
    return bool((ones.sum(axis=1) == 1).all() and any(((y == other) | ones).all() for other in (0, -1)))


def _without_names(operation: str, y: Any, array: Array, decision: Decision, seen: Seen) -> tuple[Any, Seen]:
    """Turn names of classes into what the loss compares with: numbers, or one-hot rows."""
    labels = _strings(rows(array, decision))
    if labels is None:
        if seen.classes is not None and array.size == len(array):
            raise ValueError(
                f"[{operation}] y has no names but the network's classes are {_listed(seen.classes)}; give those names"
            )
        return y, seen
    if decision.kind == "numbers":
        raise ValueError(
            f"[{operation}] y has strings, such as {str(labels.flat[0])!r}, but the network gives numbers "
            f"({decision.why}); compile with loss 'cross_entropy' for classes"
        )
    classes = seen.classes or _classes(operation, labels, decision)
    places = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    strangers = labels[np.asarray(classes)[places] != labels]
    if strangers.size:
        raise ValueError(
            f"[{operation}] y has the label {str(strangers[0])!r}, which is no class of the network; they are "
            f"{_listed(classes)}"
        )
    numbers = np.asarray(decision.pair)[places] if decision.kind == "binary" else places
    if decision.kind == "labels" or decision.exclusive:
        return _unrowed(np.eye(decision.outputs)[places], array, decision), replace(seen, classes=classes)
    return numbers.reshape(array.shape) if decision.space else numbers, replace(seen, classes=classes)


def rows(array: Array, decision: Decision) -> Array:
    """Return targets with a row for each place of each sample: labels (n * places,), or (n * places, outputs)."""
    if not decision.space or array.ndim == 1:
        return array
    if array.shape[1:] == decision.space:
        return array.reshape(-1)
    if array.ndim == len(decision.space) + 2:
        return np.moveaxis(array, decision.axis, -1).reshape(-1, array.shape[decision.axis])
    return array  # of another shape, which the core refuses


def _unrowed(found: Array, array: Array, decision: Decision) -> Array:
    """Return rows of outputs for the places that `array` has labels of."""
    if not decision.space:
        return found
    return np.moveaxis(found.reshape(*array.shape, decision.outputs), -1, decision.axis)


def first_name(y: Any) -> str | None:
    """Return a name of a class, if the targets are such."""
    array = _array(y)
    labels = None if array is None else _strings(array)
    return None if labels is None else str(labels[0])


def _strings(array: Array) -> Array | None:
    """Return a vector of names, if an array is one."""
    if array.dtype.kind not in "UOT" or array.size != len(array) or not array.size:
        return None
    labels = array.reshape(-1).tolist()
    return np.array(labels) if all(isinstance(label, str) for label in labels) else None


def _classes(operation: str, labels: Array, decision: Decision) -> tuple[str, ...]:
    classes = tuple(np.unique(labels).tolist())
    wanted = 2 if decision.kind == "binary" else decision.outputs
    if len(classes) != wanted:
        raise ValueError(
            f"[{operation}] y has {len(classes)} different labels, {_listed(classes)}, but the network decides between "
            f"{wanted} classes; give it an output for each label, or numbers from 0 to {wanted - 1} as labels"
        )
    return classes


def _listed(names: tuple[Any, ...]) -> str:
    shown = ", ".join(map(repr, names[:10]))
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"


def places(operation: str, y: Any, decision: Decision) -> Array:
    """Return what `Decision.decided` gives for rows of outputs: places in `names`; (n, outputs) for "labels".

    Raises
    ------
    ValueError
        For what is no class.
    """
    decision.require(operation)
    array = rows(np.asarray(y), decision)
    if decision.kind == "classes" and array.ndim == 2 and array.shape[1] > 1:
        if not ((array == array.max(axis=1, keepdims=True)).sum(axis=1) == 1).all():
            raise ValueError(
                f"[{operation}] y has rows with several labels or none, but the network decides for one of "
                f"{decision.outputs} classes ({decision.why}); give rows with one largest value"
                + (", or compile again, as all targets before had one label a sample" if decision.exclusive else "")
            )
        return np.asarray(array.argmax(axis=1))
    if decision.kind != "labels":
        array = array.reshape(len(array), -1)[:, 0]
    known = decision.pair if decision.kind != "classes" else range(decision.outputs)
    low, high = known[0], known[-1]
    wrong = ~np.isin(array, known) if decision.kind != "classes" else (array < low) | (array > high) | (array % 1 != 0)
    if wrong.any():
        first = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"[{operation}] y has {array[tuple(first)]} at {tuple(first)}, which is no class; the network decides "
            f"between {_listed(tuple(known))} ({decision.why})"
        )
    return np.asarray(array == high, dtype=np.int64) if decision.kind != "classes" else array.astype(np.int64)


def numbers(y: Any, decision: Decision) -> Array:
    """Return the targets as rows of the outputs' shape: one-hot for classes."""
    array = rows(np.asarray(y), decision)
    if decision.outputs > 1 and decision.kind == "classes" and array.size == len(array):
        return np.eye(decision.outputs)[places("metrics", array, decision)]
    return array.reshape(len(array), -1)


def strata(y: Any, decision: Decision) -> Array | None:
    """Return each sample's class, None where samples have none."""
    if decision.space or decision.kind not in ("classes", "binary") or np.asarray(y).dtype.kind not in "biuf":
        return None
    try:
        return places("fit", y, decision)
    except ValueError:  # soft targets
        return None
