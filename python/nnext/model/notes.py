"""Notes: what a model remembers beside its network and its training, and a file keeps.

A note is an attribute of the model. It has one row here: its name, and the check of what a file or a person says.
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


def of(model: Any) -> dict[str, Any]:
    """Return the notes that a model has, as plain values."""
    return {name: _plain(note) for name in NOTES if (note := getattr(model, name, None)) is not None}


def read(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notes of a description, checked."""
    return {name: check("description", name, plain[name]) for name, check in NOTES.items() if name in plain}


def take(model: Any, notes: Mapping[str, Any]) -> None:
    """Give a model its notes."""
    for name, note in notes.items():
        setattr(model, name, note)


def _plain(note: Any) -> Any:
    return np.asarray(note).tolist() if isinstance(note, np.ndarray | np.generic | tuple) else note
