"""Notes: what a model remembers beside its network and its training, and a file keeps.

They stand in ``model.notes``, by names that have a row here: with the check of what a file, or who saves, says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnext import _check
from nnext._fields import Check


def _factor(operation: str, name: str, value: Any) -> float:
    factor = _check.number(operation, name, value)
    if factor == 0:
        raise ValueError(f"[{operation}] {name} is 0; give a finite number that is not")
    return factor


def _labels(operation: str, name: str, value: Any) -> list[str] | list[int]:
    kinds = {type(label) for label in value} if isinstance(value, list) else set()
    if kinds not in ({str}, {int}) or len(set(value)) < len(value):
        raise TypeError(
            f"[{operation}] {name} is {value!r}; give a list of different strings, or of different integers"
        )
    labels: list[str] | list[int] = value
    return labels


def _settings(operation: str, name: str, value: Any) -> dict[str, Any]:
    plain = str | bool | int | float | None
    if not isinstance(value, dict) or not all(isinstance(part, plain) for part in value.values()):
        raise TypeError(
            f"[{operation}] {name} is {value!r}; give a mapping of names to numbers, strings, bools or None"
        )
    return value


NOTES: Mapping[str, Check] = {  # from the plain value to that which the model gets
    "scale": _factor,  # of the last fit
    "classes": _labels,  # what the numbers of the classes stand for
    "decision": _settings,  # how outputs become classes
}


def plain(notes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model's notes as values that JSON may hold; None is no note."""
    return {name: _plain(note) for name, note in notes.items() if note is not None}


def read(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notes in a description, checked."""
    return {n: check("description", n, description[n]) for n, check in NOTES.items() if n in description}


def _plain(note: Any) -> Any:
    return np.asarray(note).tolist() if isinstance(note, np.ndarray | np.generic | tuple) else note
