"""Checks of single numbers and names, shared by everything that takes some."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np


def number(
    operation: str,
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: bool = False,
    below: bool = False,
) -> float:
    """Return a finite float within [low, high]; `above` and `below` leave out the ends."""
    if isinstance(value, bool) or not hasattr(value, "__float__") or getattr(value, "ndim", 0) != 0:
        raise TypeError(f"[{operation}] {name} is {value!r}; give a number")
    result = float(value)
    fits = (result > low if above else result >= low) and (result < high if below else result <= high)
    if not math.isfinite(result) or not fits:
        interval = f"{'(' if above else '['}{low:g}, {high:g}{')' if below else ']'}"
        raise ValueError(f"[{operation}] {name} is {value!r}; give a finite number in {interval}")
    return result


def integer(operation: str, name: str, value: Any, *, low: int, high: int = 2**63 - 1) -> int:
    """Return an int within [low, high]."""
    try:
        if isinstance(value, bool):
            raise TypeError
        result = operator.index(value)
    except TypeError:
        raise TypeError(f"[{operation}] {name} is {value!r}; give a whole number") from None
    if not low <= result <= high:
        raise ValueError(f"[{operation}] {name} is {result}; give a whole number from {low} to {high}")
    return result


def choice(operation: str, name: str, value: Any, known: Iterable[str]) -> str:
    """Return a name that is one of the known ones."""
    names = list(known)
    if not isinstance(value, str):
        raise TypeError(f"[{operation}] {name} is {value!r}; give one of {', '.join(names)}")
    if value not in names:
        raise ValueError(f"[{operation}] unknown {name} {value!r}; use one of {', '.join(names)}")
    return value


def float_dtype(operation: str, dtype: Any) -> str:
    """Return "float32" or "float64", however it was said."""
    try:
        name = np.dtype(dtype).name
    except TypeError:
        raise TypeError(f'[{operation}] dtype is {dtype!r}; use "float32" or "float64"') from None
    return choice(operation, "dtype", name, ("float32", "float64"))
